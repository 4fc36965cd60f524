// A CUDA driver that gets no further than telling its version and failing to start. -DVERSION=12040 -DINIT=100
#ifdef VERSION
int cuDriverGetVersion(int *version) {
    *version = VERSION;
    return 0;
}
#endif

int cuInit(unsigned flags) { return flags ? 1 : INIT; }

int cuDeviceGetCount(int *count) {
    *count = 0;
    return 0;
}
