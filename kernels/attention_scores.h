// What stands between the products: masks, exponentials, dropout, slopes.

// e^d of a difference that is already rounded. Beside the greatest weight, which is 1, what is below 2^-126 is nothing.
INLINE float exponential(float d) { return EXP2_OR_ZERO(d * 1.44269504088896341f); }

// Where all is -inf so far distances are from 0, so that no NaN comes in that a later maximum would make wrong.
INLINE float base_of(float top) { return top == -INF ? 0 : top; }

// What a pair's queries may see, and the chance that weights stay.
typedef struct {
    GLOBAL const uchar *allowed;
    GLOBAL const Mem *bias;
    float scale, rest;
    uint below;
    ulong seed, counter;
    // Of the pair's first weight among all.
    long first;
} Sight;

INLINE Sight sight_of(
        const Attention &a,
        long pair,
        GLOBAL const uchar *allowed,
        GLOBAL const Mem *bias,
        GLOBAL const long *drawn) {
    Sight s;
    s.allowed = allowed + a.allowed_offset + pair / a.heads * a.allowed[0] + pair % a.heads * a.allowed[1];
    s.bias = bias + a.bias_offset + pair / a.heads * a.bias[0] + pair % a.heads * a.bias[1];
    s.scale = NUMBER_f32(a.scale);
    s.rest = NUMBER_f32(a.rest);
    s.below = (uint) a.below;
    s.seed = (ulong) (a.has_drawn ? drawn[a.drawn_offset] : a.seed);
    s.counter = (ulong) (a.has_drawn ? drawn[a.drawn_offset + 1] : a.counter);
    s.first = pair * a.queries * a.keys;
    return s;
}

// Whether the scores in a lane are of keys that their queries see, a bit each. The warp's rows are 16 from `first` on, its columns
// OTHERS from `from` on; rows are queries, or keys where turned.
INLINE uint seen_of(const Attention &a, const Sight &sight, int first, int from, bool turned) {
    int queries = (int) a.queries;
    int keys = (int) a.keys;
    // Rows beyond the last are not stored, whatever they see; columns beyond the last must add nothing.
    bool earlier = !a.causal || (turned ? first + 15 <= from : from + OTHERS - 1 <= first);
    if (earlier && from + OTHERS <= (turned ? queries : keys) && !a.has_allowed) {
        return 0xFFFFFFFFu;
    }
    int row = first + THREAD % 32 / 4;
    int column = from + THREAD % 4 * 2;
    uint bits = 0;
    ROLLED
    for (int n = 0; n < OTHERS / 8; n++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            int t = turned ? column + 8 * n + i % 2 : row + 8 * (i / 2);
            int u = turned ? row + 8 * (i / 2) : column + 8 * n + i % 2;
            bool seen = t < queries && u < keys && (!a.causal || u <= t);
            if (seen && a.has_allowed) {
                seen = sight.allowed[t * a.allowed[2] + u * a.allowed[3]] != 0;
            }
            bits |= (seen ? 1u : 0u) << (4 * n + i);
        }
    }
    return bits;
}

// Makes scores of the products in a lane. `staged` is the warp's stage.
INLINE void look(
        const Attention &a, const Sight &sight, float (*s)[4], int first, int from, bool turned, Mem *staged) {
    uint seen = seen_of(a, sight, first, from, turned);
    UNROLL
    for (int n = 0; n < OTHERS / 8; n++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            s[n][i] *= sight.scale;
        }
    }
    if (a.has_bias) {
        // By way of shared memory, since lanes read neighbours that way.
        long down = turned ? a.bias[3] : a.bias[2];
        long across = turned ? a.bias[2] : a.bias[3];
        int rows = (int) (turned ? a.keys : a.queries) - first;
        int columns = (int) (turned ? a.queries : a.keys) - from;
        GLOBAL const Mem *bias = sight.bias + first * down + from * across;
        __syncwarp();
        UNROLL_4
        for (int i = 0; i < 16 * OTHERS / 32; i++) {
            int row = (32 * i + THREAD % 32) / OTHERS;
            int column = (32 * i + THREAD % 32) % OTHERS;
            staged[row * STAGE_STRIDE + column] =
                    row < rows && column < columns ? bias[row * down + column * across] : (Mem) 0;
        }
        __syncwarp();
        const Mem *mine = staged + THREAD % 32 / 4 * STAGE_STRIDE + THREAD % 4 * 2;
        UNROLL
        for (int n = 0; n < OTHERS / 8; n++) {
            UNROLL
            for (int i = 0; i < 4; i++) {
                s[n][i] += LOAD_AS(T, mine, i / 2 * 8 * STAGE_STRIDE + 8 * n + i % 2);
            }
        }
    }
    if (seen != 0xFFFFFFFFu) {
        UNROLL
        for (int n = 0; n < OTHERS / 8; n++) {
            UNROLL
            for (int i = 0; i < 4; i++) {
                s[n][i] = seen >> (4 * n + i) & 1 ? s[n][i] : -INF;
            }
        }
    }
}

// What the forward left of a query.
typedef struct {
    float base, share, delta;
} Known;

INLINE Known known_of(
        GLOBAL const float *top,
        GLOBAL const float *share,
        GLOBAL const float *delta,
        const Attention &a,
        long pair,
        int query) {
    Known known = {0, 0, 0};
    if (query < a.queries) {
        long at = pair * a.queries + query;
        known.base = base_of(top[a.top_offset + at]);
        known.share = share[a.share_offset + at];
        known.delta = delta[a.delta_offset + at];
    }
    return known;
}

INLINE float weight_of(float s, Known of) { return exponential(s - of.base) * of.share; }

// What a key that is not seen would have been given is nothing, even where it is no number.
INLINE float slope_of(float s, float p, float dp, Known of) { return s == -INF && p == 0 ? 0 : p * (dp - of.delta); }

// ---- dropout, by the numbers that a tensor of all weights would draw

// Whether weights i to i + 3 among all stay, a bit each.
INLINE uint kept_of_four(const Sight &sight, long i) {
    uint bits = 0;
    int skipped = (int) (i & 3);
    ROLLED
    for (int part = 0; part < (skipped ? 2 : 1); part++) {
        uint word[4];
        philox_words(sight.counter + (ulong) (i >> 2) + part, sight.seed, word);
        UNROLL
        for (int k = 0; k < 4; k++) {
            bits |= (word[k] >> 8 < sight.below ? 1u : 0u) << (k + 4 * part);
        }
    }
    return bits >> skipped;
}

// The bits of a lane's scores in their order, four a step: the warp's rows are queries from `first` on. Of the two lanes that
// share four neighbours, one draws for each of their rows.
INLINE uint kept_by_rows(const Sight &sight, int first, int from, long keys) {
    int odd = THREAD % 2;
    int row = first + THREAD % 32 / 4;
    uint bits = 0;
    ROLLED
    for (int n = 0; n < OTHERS / 8; n++) {
        long at = (row + 8 * odd) * keys + from + 8 * n + THREAD % 4 / 2 * 4;
        uint mine = kept_of_four(sight, sight.first + at);
        uint others = __shfl_xor_sync(0xFFFFFFFFu, mine, 1);
        uint low = (odd ? others : mine) >> 2 * odd & 3;
        uint high = (odd ? mine : others) >> 2 * odd & 3;
        bits |= (low | high << 2) << 4 * n;
    }
    return bits;
}

// The same where rows are keys. Of the four lanes that share four neighbours, each draws for one row and column.
INLINE uint kept_by_columns(const Sight &sight, int first, int from, long keys) {
    int lane = THREAD % 32;
    int row = first + lane / 4;
    int which = lane / 4 % 4;
    uint bits = 0;
    ROLLED
    for (int n = 0; n < OTHERS / 8; n++) {
        long query = from + 8 * n + lane % 4 * 2 + which % 2;
        uint mine = kept_of_four(sight, sight.first + query * keys + row - which + which / 2 * 8);
        UNROLL
        for (int i = 0; i < 4; i++) {
            uint four = __shfl_sync(0xFFFFFFFFu, mine, (lane & ~12) | i << 2);
            bits |= (four >> which & 1) << (4 * n + i);
        }
    }
    return bits;
}

// Drops what does not stay.
INLINE void drop(float (*s)[4], uint kept, float rest) {
    UNROLL
    for (int n = 0; n < OTHERS / 8; n++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            s[n][i] *= kept >> (4 * n + i) & 1 ? rest : 0;
        }
    }
}
