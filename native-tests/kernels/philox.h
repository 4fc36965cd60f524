// Philox 4x32-10 with a counter of 128 bits and a key of 64, as its paper has it.
#pragma once

struct Words {
    unsigned w[4];
};
inline Words philox(Words c, unsigned k0, unsigned k1) {
    for (int round = 0; round < 10; round++) {
        unsigned long p = 0xD2511F53ul * c.w[0], q = 0xCD9E8D57ul * c.w[2];
        c = {{unsigned(q >> 32) ^ c.w[1] ^ k0, unsigned(q), unsigned(p >> 32) ^ c.w[3] ^ k1, unsigned(p)}};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c;
}

// The word that decides on element i.
inline unsigned philoxWord(unsigned long seed, unsigned long counter, long i) {
    unsigned long at = counter + (unsigned long) (i / 4);
    return philox({{unsigned(at), unsigned(at >> 32), 0, 0}}, unsigned(seed), unsigned(seed >> 32)).w[i % 4];
}
