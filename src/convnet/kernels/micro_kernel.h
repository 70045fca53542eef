#pragma once
// What bodies that are compiled once per instruction set have in common.

#if defined(__clang__)
#define CONVNET_UNROLL _Pragma("unroll")
#else
#define CONVNET_UNROLL _Pragma("GCC unroll 32")
#endif

// Forgets what is known of where a pointer points, above all its alignment: on
// Windows GCC believes in stack alignments that it does not give (bug 54412).
#define CONVNET_HIDE(pointer) __asm__ volatile("" : "+r"(pointer) : : "memory")

#define CONVNET_INLINE CONVNET_TARGET inline __attribute__((always_inline))
#define CONVNET_NOINLINE CONVNET_TARGET __attribute__((noinline))

// Lanes of two vectors, by constant numbers; those of b follow those of a.
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define CONVNET_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define CONVNET_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype(a < b){__VA_ARGS__})
#endif

// Keeps a vector in a register: GCC would rather read it from memory at each use.
#if defined(__x86_64__) || defined(__i386__)
#define CONVNET_KEEP(vector) __asm__("" : "+v"(vector))
#elif defined(__aarch64__)
#define CONVNET_KEEP(vector) __asm__("" : "+w"(vector))
#else
#define CONVNET_KEEP(vector)
#endif
