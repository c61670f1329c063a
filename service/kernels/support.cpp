// Asks the processor what it can do; compiled for the oldest one there is, unlike everything beside it.
#include "kernels.h"

int32_t livetalker_supported(void) {
#if defined(LIVETALKER_NEEDS_AVX512VNNI)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
#elif defined(LIVETALKER_NEEDS_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1;
#endif
}
