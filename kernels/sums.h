// Sums in an order that is the same everywhere, in the type REAL of WIDE.
typedef REAL_OF(WIDE) Real;

// Sums of neighbours, then of those, which is the order everywhere; n is a power of two up to 32.
INLINE Real sum_of(const Real *v, int n) {
    Real sums[64];
    UNROLL
    for (int k = 0; k < n; k++) {
        sums[k] = v[k];
    }
    UNROLL
    for (int k = 0; k < n - 1; k++) {
        sums[n + k] = sums[2 * k] + sums[2 * k + 1];
    }
    return sums[2 * n - 2];
}

#ifdef HAS_WARPS
// The sum over `lanes` neighbouring lanes of a warp, a power of two; all of them get it, with the same bits.
INLINE Real sum_of_lanes(Real v, int lanes) {
    for (int far = lanes / 2; far > 0; far /= 2) {
        v += __shfl_xor_sync(0xFFFFFFFFu, v, far);
    }
    return v;
}
#endif
