# ESP-IDF's main component: the generated library in src/, the bench firmware in firmware/.
get_filename_component(edgec_root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
include("${edgec_root}/flags.cmake")

file(GLOB edgec_sources "${edgec_root}/src/*.c" "${edgec_root}/src/*.s" "${edgec_root}/firmware/*.c")
list(SORT edgec_sources)

idf_component_register(
    SRCS ${edgec_sources}
    INCLUDE_DIRS "${edgec_root}/src" "${edgec_root}/firmware")

target_compile_definitions(${COMPONENT_LIB} PRIVATE EDGEC_CORE_HZ=@CORE_HZ@u EDGEC_BAUD=@BAUD@u)
if(EDGEC_PROFILE)
    target_compile_definitions(${COMPONENT_LIB} PRIVATE EDGEC_PROFILE)
endif()
if(EDGEC_MLPERF)
    target_compile_definitions(${COMPONENT_LIB} PRIVATE EDGEC_MLPERF=1)
endif()

# Kernels say in their first lines that they want speed; all else is compiled for size.
foreach(source IN LISTS edgec_sources)
    file(STRINGS "${source}" mark REGEX "edgec: hot" LIMIT_COUNT 1)
    if(mark)
        set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${EDGEC_HOT}")
    else()
        set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${EDGEC_COLD}")
    endif()
endforeach()
