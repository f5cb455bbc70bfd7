#ifndef EDGEC_CLAMP_FLOAT32_H
#define EDGEC_CLAMP_FLOAT32_H

/* x limited to [low, high]; as TFLite's ActivationFunctionWithMinMax. */
static inline float edgec_clamp_float32(float x, float low, float high)
{
    const float raised = x < low ? low : x;
    return raised > high ? high : raised;
}

#endif
