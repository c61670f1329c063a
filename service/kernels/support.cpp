// Asks the processor what it can do; compiled for the oldest one there is, unlike everything beside it.
#include "kernels.h"

int32_t livetalker_supported(void) noexcept {
#if defined(LIVETALKER_NEEDS_AVX512VNNI)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
#elif defined(LIVETALKER_NEEDS_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(LIVETALKER_NEEDS_NEON)
    return 1;  // every 64-bit Arm processor has it
#else
#error "which instruction set was this compiled for?"
#endif
}
