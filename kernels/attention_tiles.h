// Tiles of rows in shared memory, and the products of a warp's 16 rows with them. In a lane, g = lane / 4 and t = lane % 4:
//
//   scores s[n][i]  of row g + 8 (i / 2) with row 8n + 2t + i % 2 of the tile
//   sums o[n][i]    half types: of row g + 8 (i / 2) at column 8n + 2t + i % 2
//                   float32:    of row g + 8 (n % 2) at column 16 (n / 2) + 4t + i
//
// Rows in shared memory are a little longer than HEAD, so that those that a warp reads at once lie in different banks.
typedef MEM_OF(T) Mem;
#define CHUNK (16 / (int) sizeof(Mem))
#define STRIDE (HEAD + CHUNK)
// Room of a warp for 16 rows of scores: for a bias, and in float32 for weights, on their way from one lane to another.
#define STAGE_STRIDE (OTHERS + CHUNK)
#define STAGE (16 * STAGE_STRIDE)

// Rows of an operand in global memory.
typedef struct {
    GLOBAL const Mem *at;
    long stride;
    int count, size, aligned;
} Rows;

// Those of a pair. `offset` is where `at` is in a block of memory, which begins at a multiple of 16 bytes.
INLINE Rows rows_of(
        GLOBAL const Mem *at, long offset, const long *strides, long pair, const Attention &a, long count, long size) {
    Rows rows;
    rows.at = at + pair / a.heads * strides[0] + pair % a.heads * strides[1];
    rows.stride = strides[2];
    rows.count = (int) count;
    rows.size = (int) size;
    rows.aligned = ((offset | strides[0] | strides[1] | strides[2] | size) & (CHUNK - 1)) == 0;
    return rows;
}

// `count` rows from `first` on into a tile; zeros where there are none. They are there after COPIES_WAIT and a barrier.
INLINE void load_tile(Mem *to, int count, const Rows &rows, int first) {
    if (rows.aligned) {
        int row = THREAD / (HEAD / CHUNK);
        int at = THREAD % (HEAD / CHUNK) * CHUNK;
        int left = at < rows.size ? rows.count - first : 0;
        GLOBAL const Mem *from = rows.at + (first + row) * rows.stride + at;
        ROLLED
        for (int i = 0; i < count * (HEAD / CHUNK) / BLOCK; i++) {
            COPY_ASYNC(to + row * STRIDE + at, row < left ? from : rows.at, row < left);
            row += BLOCK / (HEAD / CHUNK);
            from += BLOCK / (HEAD / CHUNK) * rows.stride;
        }
    } else {
        int row = THREAD / HEAD;
        int at = THREAD % HEAD;
        int left = at < rows.size ? rows.count - first : 0;
        GLOBAL const Mem *from = rows.at + (first + row) * rows.stride + at;
        UNROLL_4
        for (int i = 0; i < count * HEAD / BLOCK; i++) {
            to[row * STRIDE + at] = row < left ? *from : (Mem) 0;
            row += BLOCK / HEAD;
            from += BLOCK / HEAD * rows.stride;
        }
    }
}

INLINE void clear(float (*o)[4], int n) {
    UNROLL
    for (int k = 0; k < n; k++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            o[k][i] = 0;
        }
    }
}

#if ID(T) == ID_f32

INLINE float dot(vec4_f32 x, vec4_f32 y, float sum) {
    return fma(x.w, y.w, fma(x.z, y.z, fma(x.y, y.y, fma(x.x, y.x, sum))));
}

// s += rows of the warp times rows of the tile.
INLINE void multiply_rows(float (*s)[4], const Mem *rows, const Mem *tile) {
    rows += THREAD % 32 / 4 * STRIDE;
    tile += THREAD % 4 * 2 * STRIDE;
    ROLLED
    for (int e = 0; e < HEAD; e += 4) {
        vec4_f32 x = *(const vec4_f32 *) (rows + e);
        vec4_f32 y = *(const vec4_f32 *) (rows + 8 * STRIDE + e);
        UNROLL
        for (int n = 0; n < OTHERS / 8; n++) {
            vec4_f32 v = *(const vec4_f32 *) (tile + 8 * n * STRIDE + e);
            vec4_f32 w = *(const vec4_f32 *) (tile + (8 * n + 1) * STRIDE + e);
            s[n][0] = dot(x, v, s[n][0]);
            s[n][1] = dot(x, w, s[n][1]);
            s[n][2] = dot(y, v, s[n][2]);
            s[n][3] = dot(y, w, s[n][3]);
        }
    }
}

INLINE void add_times(float *o, float p, vec4_f32 v) {
    o[0] = fma(p, v.x, o[0]);
    o[1] = fma(p, v.y, o[1]);
    o[2] = fma(p, v.z, o[2]);
    o[3] = fma(p, v.w, o[3]);
}

// o += weights p, which are placed as scores are, times the rows of the tile.
INLINE void add_weighted(float (*o)[4], const float (*p)[4], const Mem *tile, Mem *staged) {
    int g = THREAD % 32 / 4;
    int t = THREAD % 4;
    __syncwarp();
    UNROLL
    for (int n = 0; n < OTHERS / 8; n++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            staged[(g + i / 2 * 8) * STAGE_STRIDE + 8 * n + 2 * t + i % 2] = p[n][i];
        }
    }
    __syncwarp();
    ROLLED
    for (int u = 0; u < OTHERS; u += 4) {
        vec4_f32 x = *(const vec4_f32 *) (staged + g * STAGE_STRIDE + u);
        vec4_f32 y = *(const vec4_f32 *) (staged + (g + 8) * STAGE_STRIDE + u);
        const float left[4] = {x.x, x.y, x.z, x.w};
        const float right[4] = {y.x, y.y, y.z, y.w};
        UNROLL
        for (int j = 0; j < 4; j++) {
            UNROLL
            for (int m = 0; m < HEAD / 16; m++) {
                vec4_f32 v = *(const vec4_f32 *) (tile + (u + j) * STRIDE + 16 * m + 4 * t);
                add_times(o[2 * m], left[j], v);
                add_times(o[2 * m + 1], right[j], v);
            }
        }
    }
}

// Row g + 8r of the sums.
INLINE void scale_row(float (*o)[4], int r, float by) {
    UNROLL
    for (int m = 0; m < HEAD / 16; m++) {
        UNROLL
        for (int i = 0; i < 4; i++) {
            o[2 * m + r][i] *= by;
        }
    }
}

// The sums of a warp to its 16 rows of a tile.
INLINE void place(Mem *rows, const float (*o)[4]) {
    UNROLL
    for (int n = 0; n < HEAD / 8; n++) {
        vec4_f32 four;
        four.x = o[n][0], four.y = o[n][1], four.z = o[n][2], four.w = o[n][3];
        *(vec4_f32 *) (rows + (THREAD % 32 / 4 + n % 2 * 8) * STRIDE + 16 * (n / 2) + 4 * (THREAD % 4)) = four;
    }
}

#else

#define PACK CAT(PACK_, T)
#define MULTIPLY CAT(MULTIPLY_, T)

INLINE void multiply_rows(float (*s)[4], const Mem *rows, const Mem *tile) {
    int lane = THREAD % 32;
    rows += lane % 16 * STRIDE + lane / 16 * 8;
    tile += (lane / 16 * 8 + lane % 8) * STRIDE + lane / 8 % 2 * 8;
    UNROLL
    for (int e = 0; e < HEAD; e += 16) {
        uint x[4];
        LOAD_MATRICES(x, rows + e);
        UNROLL
        for (int n = 0; n < OTHERS / 8; n += 2) {
            uint y[4];
            LOAD_MATRICES(y, tile + 8 * n * STRIDE + e);
            MULTIPLY(s[n], x, y);
            MULTIPLY(s[n + 1], x, y + 2);
        }
    }
}

INLINE void add_weighted(float (*o)[4], const float (*p)[4], const Mem *tile, Mem *) {
    int lane = THREAD % 32;
    tile += lane % 16 * STRIDE + lane / 16 * 8;
    UNROLL
    for (int n = 0; n < OTHERS / 8; n += 2) {
        const uint x[4] = {
            PACK(p[n][0], p[n][1]), PACK(p[n][2], p[n][3]), PACK(p[n + 1][0], p[n + 1][1]), PACK(p[n + 1][2], p[n + 1][3])};
        UNROLL
        for (int m = 0; m < HEAD / 8; m += 2) {
            uint y[4];
            LOAD_MATRICES_TURNED(y, tile + 8 * n * STRIDE + 8 * m);
            MULTIPLY(o[m], x, y);
            MULTIPLY(o[m + 1], x, y + 2);
        }
    }
}

INLINE void scale_row(float (*o)[4], int r, float by) {
    UNROLL
    for (int n = 0; n < HEAD / 8; n++) {
        o[n][2 * r] *= by;
        o[n][2 * r + 1] *= by;
    }
}

INLINE void place(Mem *rows, const float (*o)[4]) {
    rows += THREAD % 32 / 4 * STRIDE + 2 * (THREAD % 4);
    UNROLL
    for (int n = 0; n < HEAD / 8; n++) {
        *(uint *) (rows + 8 * n) = PACK(o[n][0], o[n][1]);
        *(uint *) (rows + 8 * STRIDE + 8 * n) = PACK(o[n][2], o[n][3]);
    }
}

#endif

// The sums of a warp to 16 rows of a dense result, from `first` on, by way of its rows of a tile, which only it reads.
INLINE void store_rows(
        GLOBAL Mem *out, long offset, long pair, long count, long size, int first, Mem *tile, const float (*o)[4]) {
    Mem *rows = tile + 16 * STRIDE * (THREAD / 32);
    out += (pair * count + first) * size;
    __syncwarp();
    place(rows, o);
    __syncwarp();
    if (((offset | size) & (CHUNK - 1)) == 0) {
        int at = THREAD % 32 % (HEAD / CHUNK) * CHUNK;
        ROLLED
        for (int row = THREAD % 32 / (HEAD / CHUNK); row < 16; row += 32 / (HEAD / CHUNK)) {
            if (first + row < count && at < size) {
                *(GLOBAL vec4_i32 *) (out + row * size + at) = *(const vec4_i32 *) (rows + row * STRIDE + at);
            }
        }
    } else {
        ROLLED
        for (int i = THREAD % 32; i < 16 * HEAD; i += 32) {
            int row = i / HEAD;
            int at = i % HEAD;
            if (first + row < count && at < size) {
                out[row * size + at] = rows[row * STRIDE + at];
            }
        }
    }
}
