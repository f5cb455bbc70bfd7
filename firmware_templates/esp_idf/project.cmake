# The bench firmware of @MODEL@ as an ESP-IDF project: idf.py build
cmake_minimum_required(VERSION 3.16)
set(COMPONENTS main)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(edgec_@MODEL@)
