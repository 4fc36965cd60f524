package org.tenon.cpu;

/**
 * Many neighbouring blocks of {@link org.tenon.spi.Philox} at once: word k of all of them is an array, so that the compiler makes
 * vectors of the loop.
 */
final class PhiloxBlocks {
    /** How many: their words fit the first level cache beside all else. */
    static final int COUNT = 128;

    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;
    private static final int ROUNDS = 10;
    private static final long WORD = 0xFFFFFFFFL;

    private final long[][] words = new long[4][COUNT];

    /** Makes the blocks from {@code counter} on. */
    void make(long counter, long key) {
        for (int i = 0; i < COUNT; i++) {
            words[0][i] = counter + i & WORD;
            words[1][i] = counter + i >>> 32;
            words[2][i] = 0;
            words[3][i] = 0;
        }
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            round(words[0], words[1], words[2], words[3], k0 & WORD, k1 & WORD);
            k0 += W0;
            k1 += W1;
        }
    }

    private static void round(long[] c0, long[] c1, long[] c2, long[] c3, long k0, long k1) {
        for (int i = 0; i < COUNT; i++) {
            long p0 = c0[i] * M0;
            long p1 = c2[i] * M1;
            c0[i] = p1 >>> 32 ^ c1[i] ^ k0;
            c2[i] = p0 >>> 32 ^ c3[i] ^ k1;
            c1[i] = p1 & WORD;
            c3[i] = p0 & WORD;
        }
    }

    /** Words {@code k} of the blocks, without a sign. */
    long[] words(int k) {
        return words[k];
    }
}
