// Rows of up to 32 * KEEP elements in registers: `across` lanes of a warp do a row, each with KEEP elements, so that a warp
// has 32 / across rows. Chunk c of a row is number c / across of lane c % across. Where rows do not start at slots, the
// words that are in the next chunk's slot come from that chunk's lane, and so do results that go into a slot with the next.
#include "words.h"
#define CHUNKS (KEEP / CHUNK)

typedef struct {
    long row;
    int lane, across;
} Seat;

INLINE Seat seat_of(long across) {
    Seat s;
    s.across = (int) across;
    s.lane = THREAD % 32 & (s.across - 1);
    s.row = (GROUP * (BLOCK / 32) + THREAD / 32) * (32 / s.across) + THREAD % 32 / s.across;
    return s;
}

// The elements of a row that are in a slot which may not be read as a whole.
INLINE void load_part(Source x, long slot, uint *w) {
    int first = (int) (slot * (16 / SIZE(T))) - x.shift / SIZE(T);
    UNROLL
    for (int k = 0; k < 16 / SIZE(T); k++) {
        // Beyond the end its last element, which nobody asks for there.
        int j = clamped(first + k, 0, (int) x.length - 1);
        CAT(pack_, T)(w, k, (Real) LOAD_AS(T, x.row, j));
    }
}

// All elements of this lane. Every lane of the warp comes here.
INLINE void load_row(Source x, Seat at, int aligned, Real none, Real *v) {
    // This lane's slots, and the one after all others for lane 0.
    uint raw[CHUNKS * IN_SLOTS + 1][4];
    int length = (int) x.length, from = clamped(x.from, 0, 1), to = clamped(x.to, 0, 1 << 20);
    // The slots that have something of the row.
    int slots = length == 0 ? 0 : (length * SIZE(T) + x.shift + 15) / 16;
    int ends = slots > 0 && (from > 0 || to < slots);
    UNROLL
    for (int i = 0; i <= CHUNKS * IN_SLOTS; i++) {
        int slot = (i / IN_SLOTS * at.across + at.lane) * IN_SLOTS + i % IN_SLOTS;
        uint *w = raw[i];
        // The lane before may want it, too.
        if (slot >= from && slot < to && slot < slots && (i < CHUNKS * IN_SLOTS || at.lane == 0)) {
            load_slot(x.slots + slot, w);
        } else {
            w[0] = w[1] = w[2] = w[3] = 0;
        }
    }
    // The tensor's first slot is the first row's first one, its last slot the last row's, each lane's at most once.
    if (ends) {
        uint part[4];
        if (from > 0 && at.lane == 0) {
            load_part(x, 0, raw[0]);
        }
        if (to < slots && to >= from) {
            load_part(x, to, part);
        }
        UNROLL
        for (int i = 0; i <= CHUNKS * IN_SLOTS; i++) {
            int slot = (i / IN_SLOTS * at.across + at.lane) * IN_SLOTS + i % IN_SLOTS;
            UNROLL
            for (int k = 0; k < 4; k++) {
                raw[i][k] = slot == to && to >= from && to < slots ? part[k] : raw[i][k];
            }
        }
    }
    UNROLL
    for (int i = 0; i < CHUNKS; i++) {
        uint w[IN_WORDS + 4];
        UNROLL
        for (int k = 0; k < IN_WORDS; k++) {
            w[k] = raw[i * IN_SLOTS + k / 4][k % 4];
        }
        if (!aligned) {
            UNROLL
            for (int k = 0; k < 4; k++) {
                // Lane 0 comes after the last one, a turn later.
                uint first = at.lane == 0 ? raw[(i + 1) * IN_SLOTS][k] : raw[i * IN_SLOTS][k];
                w[IN_WORDS + k] = __shfl_sync(0xFFFFFFFFu, first, at.lane + 1, at.across);
            }
            shift_down(w, x.shift);
        }
        unpack(w, v + i * CHUNK);
        cut(v + i * CHUNK, clamped(length - (i * at.across + at.lane) * CHUNK, 0, CHUNK), none);
    }
}

// A slot's elements one by one: those from `first` on that the row has.
INLINE void store_part(Target y, int first, const uint *w) {
    GLOBAL MEM_OF(U) *out = y.row + first;
    int low = clamped(-first, 0, OUT_EACH), high = clamped((int) y.length - first, 0, OUT_EACH);
    UNROLL
    for (int k = 0; k < OUT_EACH; k++) {
        if (k >= low && k < high) {
            STORE_AS(U, out, k, CAT(UNPACK_, U)(w, k));
        }
    }
}

// Writes slots; the row's first and last one, of which it may have a part only, element by element.
INLINE void store_row(Target y, Seat at, int aligned, const Real *v) {
    int length = (int) y.length;
    uint before[OUT_WORDS];
    uint last[4];
    int last_first = -1;
    UNROLL
    for (int i = 0; i < CHUNKS; i++) {
        int chunk = i * at.across + at.lane;
        uint own[OUT_WORDS];
        uint w[OUT_WORDS + 4];
        pack_out(v + i * CHUNK, own);
        UNROLL
        for (int k = 0; k < OUT_WORDS; k++) {
            w[4 + k] = own[k];
        }
        if (!aligned) {
            UNROLL
            for (int k = 0; k < 4; k++) {
                // The last lane comes before lane 0, a turn earlier.
                uint earlier = i > 0 ? before[OUT_WORDS - 4 + k] : 0;
                uint given = at.lane == at.across - 1 ? earlier : own[OUT_WORDS - 4 + k];
                w[k] = __shfl_sync(0xFFFFFFFFu, given, at.lane + at.across - 1, at.across);
            }
            shift_up(w, y.behind * SIZE(U));
            UNROLL
            for (int k = 0; k < OUT_WORDS; k++) {
                before[k] = own[k];
            }
        }
        UNROLL
        for (int k = 0; k < OUT_SLOTS; k++) {
            int first = chunk * CHUNK - y.behind + k * OUT_EACH;
            if (first >= 0 && first + OUT_EACH <= length) {
                store_words(y.slots + chunk * OUT_SLOTS + k, w + 4 + 4 * k);
            } else if (i == 0 && k == 0 && first < 0) {
                store_part(y, first, w + 4);
            } else if (first < length) {
                last_first = first;
                UNROLL
                for (int word = 0; word < 4; word++) {
                    last[word] = w[4 + 4 * k + word];
                }
            }
        }
    }
    // What of the last chunk belongs to the slot after it, where no lane has a chunk.
    int rest = CHUNKS * at.across * CHUNK - y.behind;
    if (y.behind > 0 && length > rest && at.lane == at.across - 1) {
        uint *tail = before + OUT_WORDS - 4;
        UNROLL
        for (int k = 0; k < OUT_EACH; k++) {
            if (k >= OUT_EACH - y.behind && rest + k - (OUT_EACH - y.behind) < length) {
                STORE_AS(U, y.row, rest + k - (OUT_EACH - y.behind), CAT(UNPACK_, U)(tail, k));
            }
        }
    }
    if (last_first >= 0) {
        store_part(y, last_first, last);
    }
}

#define ALIGNED(T, offset, length) ((((offset) | (length)) * SIZE(T) & 15) == 0)
