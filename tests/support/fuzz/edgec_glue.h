/* A small model for the fuzzers, in place of a generated one. */
#ifndef EDGEC_GLUE_H
#define EDGEC_GLUE_H

#define EDGEC_TENSOR_COUNT 3u
#define EDGEC_LAYER_RECORDS 2u

#define EDGEC_MLPERF_BYTES 40u

#endif
