package org.tenon.spi;

/**
 * Philox 4x32-10, the counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a
 * block of four random words for every counter and key.
 */
public final class Philox {
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;
    private static final int ROUNDS = 10;

    private Philox() {}

    /** The block at a 64-bit counter, whose upper half is zero, under a 64-bit key. */
    public static void block(long counter, long key, int[] words) {
        block((int) counter, (int) (counter >>> 32), 0, 0, (int) key, (int) (key >>> 32), words);
    }

    /** The block at a counter of four words, lowest first, under a key of two. */
    public static void block(int c0, int c1, int c2, int c3, int k0, int k1, int[] words) {
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = (c0 & 0xFFFFFFFFL) * M0;
            long p1 = (c2 & 0xFFFFFFFFL) * M1;
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            k0 += W0;
            k1 += W1;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }

    /** Two words of a block as one number, the earlier one low. */
    public static long word64(int[] words, int at) {
        return (words[at + 1] & 0xFFFFFFFFL) << 32 | words[at] & 0xFFFFFFFFL;
    }
}
