// Accesses of 16 bytes for rows that may start anywhere. A slot is 16 bytes of memory at a multiple of 16; a chunk is CHUNK
// neighbours of a row, as many as fill a slot in the smaller of the two types, T that is read and U that is written. A chunk of a row that does not start at a
// slot lies in one slot more, and its words are shifted into place.
#define SIZE_f32 4
#define SIZE_f64 8
#define SIZE_f16 2
#define SIZE_bf16 2
#define SIZE(T) CAT(SIZE_, T)
#if defined(READS_ONLY) || SIZE(T) < SIZE(U)
#define CHUNK (16 / SIZE(T))
#else
#define CHUNK (16 / SIZE(U))
#endif
#define IN_WORDS (CHUNK * SIZE(T) / 4)
#define IN_SLOTS (IN_WORDS / 4)

#define UNPACK_f32(w, k) F32_BITS(w[k])
#define UNPACK_f64(w, k) F64_BITS((long) ((ulong) w[2 * (k) + 1] << 32 | w[2 * (k)]))
#define UNPACK_f16(w, k) HALF_TO_F32((ushort) (w[(k) / 2] >> 16 * ((k) % 2)))
#define UNPACK_bf16(w, k) F32_BITS((k) % 2 ? w[(k) / 2] & 0xFFFF0000u : w[(k) / 2] << 16)
// An element that was read as it is stored.
#define VALUE_f32(x) (x)
#define VALUE_f64(x) (x)
#define VALUE_f16(x) HALF_TO_F32(x)
#define VALUE_bf16(x) bf16_to_f32(x)
INLINE void pack_f32(uint *w, int k, float v) { w[k] = (uint) BITS_F32(v); }
#ifdef FP64
INLINE void pack_f64(uint *w, int k, double v) {
    ulong bits = (ulong) BITS_F64(v);
    w[2 * k] = (uint) bits;
    w[2 * k + 1] = (uint) (bits >> 32);
}
#endif
INLINE void pack_f16(uint *w, int k, float v) {
    uint bits = f32_to_half(v);
    w[k / 2] = k % 2 ? w[k / 2] | bits << 16 : bits;
}
INLINE void pack_bf16(uint *w, int k, float v) {
    uint bits = f32_to_bf16(v);
    w[k / 2] = k % 2 ? w[k / 2] | bits << 16 : bits;
}

INLINE void unpack(const uint *w, Real *v) {
    UNROLL
    for (int k = 0; k < CHUNK; k++) {
        v[k] = (Real) CAT(UNPACK_, T)(w, k);
    }
}
INLINE void pack_in(const Real *v, uint *w) {
    UNROLL
    for (int k = 0; k < CHUNK; k++) {
        CAT(pack_, T)(w, k, v[k]);
    }
}
INLINE void words_of(vec4_i32 x, uint *w) {
    w[0] = (uint) x.x, w[1] = (uint) x.y, w[2] = (uint) x.z, w[3] = (uint) x.w;
}
INLINE void load_slot(GLOBAL const vec4_i32 *slot, uint *w) { words_of(*slot, w); }
INLINE void keep_slot(TO_LOCAL vec4_i32 *slot, const uint *w) {
    vec4_i32 x;
    x.x = (int) w[0], x.y = (int) w[1], x.z = (int) w[2], x.w = (int) w[3];
    *slot = x;
}

// Where a row, or a part of one, is read: `shift` bytes into its first slot. Slots `from` up to `to` lie within the tensor;
// those at its ends, which may not, are read element by element.
typedef struct {
    GLOBAL const MEM_OF(T) *row;
    GLOBAL const vec4_i32 *slots;
    long length, from, to;
    int shift;
} Source;

// A row that starts `start` elements after the first of the tensor's `count`.
INLINE Source source_of(GLOBAL const MEM_OF(T) *all, long offset, long count, long start, long length) {
    long first = offset * SIZE(T);
    long at = first + start * SIZE(T);
    // Rounded down, also where `start` is a little before the tensor.
    long slot = at >> 4;
    Source s;
    s.row = all + offset + start;
    s.slots = (GLOBAL const vec4_i32 *) all + slot;
    s.length = length;
    s.shift = (int) (at & 15);
    s.from = (first + 15) / 16 - slot;
    s.to = (first + count * SIZE(T)) / 16 - slot;
    return s;
}

// Whether all slots of a chunk may be read.
INLINE int is_whole(Source s, long chunk) {
    long slot = chunk * IN_SLOTS;
    return chunk * CHUNK < s.length && slot >= s.from && slot + IN_SLOTS + (s.shift > 0) <= s.to;
}

// The words of a whole chunk moved to their place, from the IN_WORDS + 4 that it lies in.
INLINE void shift_down(uint *w, int bytes) {
#if SIZE(T) < 8
    if (bytes & 4) {
        UNROLL
        for (int i = 0; i < IN_WORDS + 3; i++) {
            w[i] = w[i + 1];
        }
    }
#endif
    if (bytes & 8) {
        UNROLL
        for (int i = 0; i < IN_WORDS + 1; i++) {
            w[i] = w[i + 2];
        }
    }
#if SIZE(T) < 4
    if (bytes & 2) {
        UNROLL
        for (int i = 0; i < IN_WORDS; i++) {
            w[i] = w[i] >> 16 | w[i + 1] << 16;
        }
    }
#endif
}

INLINE void load_words(Source s, long chunk, int whole, uint *w) {
    if (whole) {
        UNROLL
        for (int i = 0; i < IN_SLOTS; i++) {
            load_slot(s.slots + chunk * IN_SLOTS + i, w + 4 * i);
        }
        if (s.shift > 0) {
            load_slot(s.slots + chunk * IN_SLOTS + IN_SLOTS, w + IN_WORDS);
        }
    }
}

INLINE int clamped(long v, int low, int high) { return (int) (v < low ? low : v > high ? high : v); }

// Puts `none` in the place of all elements but the first `left`.
INLINE void cut(Real *v, int left, Real none) {
    if (left < CHUNK) {
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] = k < left ? v[k] : none;
        }
    }
}

// The elements of a chunk: of its words where it is whole, else one by one. `none` takes the place of those beyond the end;
// those before `lowest` are not read, and mean nothing.
INLINE void elements_of(Source s, long chunk, int whole, uint *w, Real none, int lowest, Real *v) {
    long first = chunk * CHUNK;
    int left = clamped(s.length - first, 0, CHUNK);
    if (whole) {
        shift_down(w, s.shift);
        unpack(w, v);
    } else if (left > 0) {
        GLOBAL const MEM_OF(T) *x = s.row + first;
        int low = clamped(lowest - first, 0, left - 1);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] = (Real) LOAD_AS(T, x, clamped(k, low, left - 1));
        }
    }
    cut(v, left, none);
}

#ifndef READS_ONLY
#define OUT_WORDS (CHUNK * SIZE(U) / 4)
#define OUT_SLOTS (OUT_WORDS / 4)
// How many elements of the result a slot has.
#define OUT_EACH (16 / SIZE(U))

INLINE void pack_out(const Real *v, uint *w) {
    UNROLL
    for (int k = 0; k < CHUNK; k++) {
        CAT(pack_, U)(w, k, v[k]);
    }
}

// The words of a chunk of the result moved on by as many bytes, after the four before them.
INLINE void shift_up(uint *w, int bytes) {
#if SIZE(U) < 8
    if (bytes & 4) {
        UNROLL
        for (int k = OUT_WORDS + 3; k > 0; k--) {
            w[k] = w[k - 1];
        }
    }
#endif
    if (bytes & 8) {
        UNROLL
        for (int k = OUT_WORDS + 3; k > 1; k--) {
            w[k] = w[k - 2];
        }
    }
#if SIZE(U) < 4
    if (bytes & 2) {
        UNROLL
        for (int k = OUT_WORDS + 3; k > 3; k--) {
            w[k] = w[k] << 16 | w[k - 1] >> 16;
        }
    }
#endif
}

// Where a row, or a part of one, is written: its first element is the one after the first `behind` of its first slot.
typedef struct {
    GLOBAL MEM_OF(U) *row;
    GLOBAL vec4_i32 *slots;
    long length;
    int behind;
} Target;

INLINE Target target_of(GLOBAL MEM_OF(U) *all, long start, long length) {
    Target t;
    t.row = all + start;
    t.slots = (GLOBAL vec4_i32 *) all + start / OUT_EACH;
    t.length = length;
    t.behind = (int) (start % OUT_EACH);
    return t;
}

// How far the elements of a result go, counted from its first slot.
INLINE long end_of(Target t) { return t.length > 0 ? t.length + t.behind : 0; }

// Writes the CHUNK elements of which the first is element CHUNK * chunk - behind: slots, but for those at the ends.
INLINE void store_chunk(Target t, long chunk, const Real *v) {
    long first = chunk * CHUNK - t.behind;
    if (first >= 0 && first + CHUNK <= t.length) {
        uint w[OUT_WORDS];
        pack_out(v, w);
        UNROLL
        for (int i = 0; i < OUT_SLOTS; i++) {
            store_words(t.slots + chunk * OUT_SLOTS + i, w + 4 * i);
        }
    } else {
        int low = clamped(-first, 0, CHUNK), high = clamped(t.length - first, 0, CHUNK);
        GLOBAL MEM_OF(U) *y = t.row + first;
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            if (k >= low && k < high) {
                STORE_AS(U, y, k, v[k]);
            }
        }
    }
}
#endif
