#pragma once
// CONVNET_SIMD before a loop: its iterations are independent, use vectors.
// CONVNET_SIMD_SUM(x): they also add to x. (GCC vectorises few loops at R's -O2
// unless told. OpenMP is used for nothing else.)
#ifdef _OPENMP
#define CONVNET_PRAGMA(text) _Pragma(#text)
#define CONVNET_SIMD _Pragma("omp simd")
#define CONVNET_SIMD_SUM(x) CONVNET_PRAGMA(omp simd reduction(+ : x))
#else
#define CONVNET_SIMD
#define CONVNET_SIMD_SUM(x)
#endif
