// What the tests of kernels share: variants, operands, launches, and errors measured in ULP.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../check.h"
#include "host.h"

enum Type { f32, f64, f16, bf16, i32, i64, b8, u8, u16, u32, u64, TYPES };

Type typeOf(const std::string &name);
const char *nameOf(Type type);
int bytesOf(Type type);
bool isFloat(Type type);
// The type that elements of T are computed in.
Type realOf(Type type);

// The nearest value of a floating type, ties to even. Integers wrap.
long double rounded(Type type, long double v);
// The distance between neighbours of a floating type at v.
long double ulp(Type type, long double v);
// A number as kernels take it in their arguments.
long bits(Type type, long double v);

// A kernel with its options, as the catalog has it.
struct Variant {
    std::string name, file, kernel;
    int block;
    std::map<std::string, std::string> options;

    Type type(const char *option) const { return typeOf(options.at(option)); }
    long number(const char *option) const { return std::stol(options.at(option)); }
    bool has(const char *option) const { return options.count(option) != 0; }
    std::string op() const { return options.at("OP"); }
};

// All variants of a kernel that are compiled into this program. Fails where there is none.
std::vector<Variant> variants(const std::string &file, const std::string &kernel);

// Random numbers that are the same in every run.
class Numbers {
public:
    explicit Numbers(unsigned long seed = 1) : state(seed * 0x9E3779B97F4A7C15ul + 1) {}
    unsigned long next();
    long double uniform(long double low, long double high);
    long below(long bound) { return long(next() % (unsigned long) bound); }

private:
    unsigned long state;
};

// Where the elements of an operand are: element 0 at `offset`.
struct Layout {
    std::vector<long> sizes, strides;
    long offset = 0;

    long count() const;
    long at(long element) const;
    // The elements that memory must have for it.
    long length() const;

    static Layout dense(std::vector<long> sizes, long offset = 0);
    // The last axis slowest; gaps of `gap` elements; an axis repeated (stride 0); the first axis backwards.
    static Layout transposed(std::vector<long> sizes, long offset = 0);
    static Layout gapped(std::vector<long> sizes, long gap, long offset = 0);
    static Layout repeated(std::vector<long> sizes, int axis, long offset = 0);
    static Layout backwards(std::vector<long> sizes, long offset = 0);
};

// Memory of exactly so many elements, NaN or -1 at first. Under AddressSanitizer an access after the last, or before
// `offset`, is reported.
class Buffer {
public:
    Buffer(Type type, long length, long offset = 0);
    ~Buffer();
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

    long double get(long i) const;
    // Stores the nearest value.
    void set(long i, long double v);
    bool untouched(long i) const;
    void clear();
    void *data() const { return memory; }
    std::size_t bytes() const { return length * std::size_t(bytesOf(type)); }
    std::vector<unsigned char> copy() const;
    void restore(const std::vector<unsigned char> &bytes);

    const Type type;
    const long length, offset;

private:
    unsigned char *memory;
};

// Buffers, then a structure of longs.
struct Arguments {
    std::vector<const Buffer *> buffers;
    std::vector<long> longs;

    Arguments &add(long v) {
        longs.push_back(v);
        return *this;
    }
    // Eight longs.
    Arguments &axes(const std::vector<long> &values);
};

// Launches in forward, reverse and shuffled order of threads, with the outputs (the first buffers) as they were each time:
// each must leave the same bits, else the kernel lacks a barrier. `shared` bytes of dynamic shared memory go to each group.
void run(const Variant &variant, long groups, const Arguments &arguments, int outputs = 1, long shared = 0);
inline long groupsFor(long items, const Variant &variant) { return (items + variant.block - 1) / variant.block; }

// A correct result, and the magnitude that its error is measured at where that is more than its own (of what was summed,
// for a sum whose terms cancel).
struct Reference {
    long double value = 0, scale = 0;
};

// Compares elements at `layout` with references; others must be untouched. The error is recorded for `label` and must not
// exceed `bound` ULP of the type that T is computed in; rounding to a half type adds one half of its own.
void compare(
        const Variant &variant,
        const std::string &label,
        const Buffer &out,
        const Layout &layout,
        const std::vector<Reference> &wanted,
        long double bound,
        const std::string &what);

// A group of tests, by name.
class Group {
public:
    Group(const char *name, void (*body)());
};
