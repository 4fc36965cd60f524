#include "test.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#endif

// ---- types

namespace {

struct Format {
    const char *name;
    int bytes;
    bool floating;
    int digits, least, most;  // of the significand; exponents of the smallest step and of overflow
};
const Format FORMATS[TYPES] = {
        {"f32", 4, true, 24, -149, 128},
        {"f64", 8, true, 53, -1074, 1024},
        {"f16", 2, true, 11, -24, 16},
        {"bf16", 2, true, 8, -133, 128},
        {"i32", 4, false, 0, 0, 0},
        {"i64", 8, false, 0, 0, 0},
        {"b8", 1, false, 0, 0, 0},
        {"u8", 1, false, 0, 0, 0},
        {"u16", 2, false, 0, 0, 0},
        {"u32", 4, false, 0, 0, 0},
        {"u64", 8, false, 0, 0, 0}};

// The exponent of the step between neighbours at v.
int step(Type type, long double v) {
    int exponent = 0;
    std::frexp(v, &exponent);
    return std::max(v == 0 ? -100000 : exponent - FORMATS[type].digits, FORMATS[type].least);
}

// A half type's bits; v is one of its values.
unsigned short encoded(Type type, long double v) {
    if (type == bf16) {
        float wide = float(v);
        unsigned bits;
        std::memcpy(&bits, &wide, 4);
        return (unsigned short) (bits >> 16);
    }
    unsigned short sign = std::signbit(v) ? 0x8000 : 0;
    if (std::isnan(v)) {
        return sign | 0x7E00;
    }
    if (std::isinf(v)) {
        return sign | 0x7C00;
    }
    int exponent;
    long double fraction = std::frexp(std::fabs(v), &exponent);
    if (v == 0 || exponent < -13) {
        return sign | (unsigned short) std::ldexp(std::fabs(v), 24);
    }
    return sign | (unsigned short) ((exponent + 14) << 10 | ((int) std::ldexp(fraction, 11) - 1024));
}

long double decoded(Type type, unsigned short bits) {
    if (type == bf16) {
        unsigned wide = (unsigned) bits << 16;
        float v;
        std::memcpy(&v, &wide, 4);
        return v;
    }
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    long double v = exponent == 31 ? (fraction ? NAN : INFINITY)
            : exponent == 0        ? std::ldexp((long double) fraction, -24)
                                   : std::ldexp((long double) (1024 + fraction), exponent - 25);
    return bits & 0x8000 ? -v : v;
}

std::vector<Variant> catalog;
std::map<std::string, std::map<Type, std::pair<long double, long double>>> worst;
std::vector<std::pair<std::string, void (*)()>> &groups() {
    static std::vector<std::pair<std::string, void (*)()>> all;
    return all;
}
long launches = 0;
std::set<std::string> launched;

std::string text(long double v) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.9Lg", v);
    return buffer;
}

}  // namespace

Type typeOf(const std::string &name) {
    for (int i = 0; i < TYPES; i++) {
        if (name == FORMATS[i].name) {
            return Type(i);
        }
    }
    throw std::logic_error("no type is called " + name);
}

const char *nameOf(Type type) { return FORMATS[type].name; }
int bytesOf(Type type) { return FORMATS[type].bytes; }
bool isFloat(Type type) { return FORMATS[type].floating; }
Type realOf(Type type) { return type == f16 || type == bf16 ? f32 : type; }

long double rounded(Type type, long double v) {
    if (!isFloat(type)) {
        return v;
    }
    if (v != v || std::isinf(v) || v == 0) {
        return v;
    }
    int exponent = step(type, v);
    long double near = std::ldexp(std::nearbyint(std::ldexp(v, -exponent)), exponent);
    long double limit = std::ldexp(1.0L, FORMATS[type].most);
    return std::fabs(near) >= limit ? std::copysign((long double) INFINITY, v) : std::copysign(near, v);
}

long double ulp(Type type, long double v) { return std::ldexp(1.0L, step(type, v)); }

long bits(Type type, long double v) {
    if (type == f64) {
        return host::fromBits<long>(host::toBits((double) v));
    }
    return isFloat(type) ? (long) host::fromBits<int>(host::toBits((float) v)) : (long) v;
}

// ---- variants

std::vector<Variant> variants(const std::string &file, const std::string &kernel) {
    std::vector<Variant> found;
    for (const Variant &each : catalog) {
        if (each.file == file && each.kernel == kernel && host::find(each.name.c_str()) != nullptr) {
            found.push_back(each);
        }
    }
    check::that(!found.empty(), "there are variants of " + kernel);
    return found;
}

namespace {
void readCatalog(const char *path) {
    std::ifstream in(path);
    if (!in) {
        throw std::runtime_error(std::string("cannot read ") + path);
    }
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream columns(line);
        Variant v;
        std::string block, options, option;
        std::getline(columns, v.name, '\t');
        std::getline(columns, v.file, '\t');
        std::getline(columns, v.kernel, '\t');
        std::getline(columns, block, '\t');
        std::getline(columns, options, '\t');
        v.block = std::atoi(block.c_str());
        std::istringstream words(options);
        while (words >> option) {
            std::size_t equals = option.find('=');
            v.options[option.substr(2, equals == std::string::npos ? equals : equals - 2)] =
                    equals == std::string::npos ? "" : option.substr(equals + 1);
        }
        catalog.push_back(v);
    }
}
}  // namespace

// ---- numbers and layouts

unsigned long Numbers::next() {
    unsigned long v = state += 0x9E3779B97F4A7C15ul;
    v = (v ^ v >> 30) * 0xBF58476D1CE4E5B9ul;
    v = (v ^ v >> 27) * 0x94D049BB133111EBul;
    return v ^ v >> 31;
}

long double Numbers::uniform(long double low, long double high) {
    return low + (high - low) * (long double) (next() >> 11) * 0x1p-53L;
}

long Layout::count() const {
    long n = 1;
    for (long size : sizes) {
        n *= size;
    }
    return n;
}

long Layout::at(long element) const {
    long to = offset;
    for (int d = int(sizes.size()) - 1; d >= 0; d--) {
        to += element % sizes[d] * strides[d];
        element /= sizes[d];
    }
    return to;
}

long Layout::length() const {
    long last = offset;
    for (std::size_t d = 0; d < sizes.size(); d++) {
        last += strides[d] > 0 ? (sizes[d] - 1) * strides[d] : 0;
    }
    return last + 1;
}

Layout Layout::dense(std::vector<long> sizes, long offset) { return gapped(sizes, 0, offset); }

Layout Layout::transposed(std::vector<long> sizes, long offset) {
    Layout l{sizes, std::vector<long>(sizes.size()), offset};
    long stride = 1;
    for (std::size_t d = 0; d < sizes.size(); d++) {
        l.strides[d] = stride;
        stride *= sizes[d];
    }
    return l;
}

Layout Layout::gapped(std::vector<long> sizes, long gap, long offset) {
    Layout l{sizes, std::vector<long>(sizes.size()), offset};
    long stride = 1 + gap;
    for (int d = int(sizes.size()) - 1; d >= 0; d--) {
        l.strides[d] = stride;
        stride = stride * sizes[d] + gap;
    }
    return l;
}

Layout Layout::repeated(std::vector<long> sizes, int axis, long offset) {
    Layout l{sizes, std::vector<long>(sizes.size()), offset};
    long stride = 1;
    for (int d = int(sizes.size()) - 1; d >= 0; d--) {
        l.strides[d] = d == axis ? 0 : stride;
        stride *= d == axis ? 1 : sizes[d];
    }
    return l;
}

Layout Layout::backwards(std::vector<long> sizes, long offset) {
    Layout l = dense(sizes, offset);
    l.offset += (sizes[0] - 1) * l.strides[0];
    l.strides[0] = -l.strides[0];
    return l;
}

// ---- memory

Buffer::Buffer(Type type, long length, long offset)
    : type(type), length(length), offset(offset), memory(static_cast<unsigned char *>(host::allocate(bytes()))) {
    clear();
    ASAN_POISON_MEMORY_REGION(memory, std::size_t(offset) * bytesOf(type));
}

Buffer::~Buffer() {
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes());
    host::release(memory);
}

void Buffer::clear() {
    std::size_t skipped = std::size_t(offset) * bytesOf(type);
    std::memset(memory + skipped, 0xFF, bytes() - skipped);
}

bool Buffer::untouched(long i) const {
    for (int k = 0; k < bytesOf(type); k++) {
        if (memory[i * bytesOf(type) + k] != 0xFF) {
            return false;
        }
    }
    return true;
}

long double Buffer::get(long i) const {
    switch (type) {
    case f32: return static_cast<float *>(data())[i];
    case f64: return static_cast<double *>(data())[i];
    case f16:
    case bf16: return decoded(type, static_cast<unsigned short *>(data())[i]);
    case i32: return static_cast<int *>(data())[i];
    case i64: return static_cast<long *>(data())[i];
    case b8:
    case u8: return memory[i];
    case u16: return static_cast<unsigned short *>(data())[i];
    case u32: return static_cast<unsigned *>(data())[i];
    default: return static_cast<unsigned long *>(data())[i];
    }
}

void Buffer::set(long i, long double v) {
    switch (type) {
    case f32: static_cast<float *>(data())[i] = float(v); break;
    case f64: static_cast<double *>(data())[i] = double(v); break;
    case f16:
    case bf16: static_cast<unsigned short *>(data())[i] = encoded(type, rounded(type, v)); break;
    case i32: static_cast<int *>(data())[i] = int(v); break;
    case i64: static_cast<long *>(data())[i] = long(v); break;
    case b8: memory[i] = v != 0; break;
    case u8: memory[i] = (unsigned char) v; break;
    case u16: static_cast<unsigned short *>(data())[i] = (unsigned short) v; break;
    case u32: static_cast<unsigned *>(data())[i] = unsigned(v); break;
    default: static_cast<unsigned long *>(data())[i] = (unsigned long) v;
    }
}

std::vector<unsigned char> Buffer::copy() const {
    std::size_t skipped = std::size_t(offset) * bytesOf(type);
    return std::vector<unsigned char>(memory + skipped, memory + bytes());
}

void Buffer::restore(const std::vector<unsigned char> &bytes) {
    std::copy(bytes.begin(), bytes.end(), memory + std::size_t(offset) * bytesOf(type));
}

// ---- launches

Arguments &Arguments::axes(const std::vector<long> &values) {
    for (std::size_t i = 0; i < 8; i++) {
        longs.push_back(i < values.size() ? values[i] : 0);
    }
    return *this;
}

void run(const Variant &variant, long groups, const Arguments &arguments, int outputs, long shared) {
    const host::Entry &entry = *host::find(variant.name.c_str());
    std::size_t count = arguments.buffers.size();
    if (!check::that(
                entry.params == int(count) + 1 && entry.sizes[count] == arguments.longs.size() * sizeof(long),
                variant.name + ": the test passes " + std::to_string(count) + " buffers and "
                        + std::to_string(arguments.longs.size()) + " longs")) {
        return;
    }
    std::vector<void *> pointers;
    for (const Buffer *buffer : arguments.buffers) {
        pointers.push_back(buffer->data());
    }
    std::vector<void *> params;
    for (void *&pointer : pointers) {
        params.push_back(&pointer);
    }
    params.push_back(const_cast<long *>(arguments.longs.data()));
    std::vector<std::vector<unsigned char>> before, first;
    for (int i = 0; i < outputs; i++) {
        before.push_back(arguments.buffers[i]->copy());
    }
    const host::Options plain = host::options();
    for (host::Order order : {host::Order::forward, host::Order::reverse, host::Order::shuffled}) {
        for (int i = 0; i < outputs; i++) {
            const_cast<Buffer *>(arguments.buffers[i])->restore(before[i]);
        }
        host::setOptions({order, 17, plain.workers});
        try {
            host::Dim3 grid{unsigned(groups)}, block{unsigned(variant.block)};
            host::launch(entry, grid, block, params.data(), std::size_t(shared));
        } catch (const host::KernelError &e) {
            check::that(false, e.what());
            break;
        }
        launches++;
        for (int i = 0; i < outputs; i++) {
            std::vector<unsigned char> after = arguments.buffers[i]->copy();
            if (order == host::Order::forward) {
                first.push_back(after);
            } else if (after != first[i]) {
                check::that(false, variant.name + ": the result depends on the order of threads; a barrier is missing");
            }
        }
    }
    host::setOptions(plain);
    launched.insert(variant.name);
    check::passed++;
}

void compare(
        const Variant &variant,
        const std::string &label,
        const Buffer &out,
        const Layout &layout,
        const std::vector<Reference> &wanted,
        long double bound,
        const std::string &what) {
    Type type = out.type;
    // What one ULP of the type that is computed in amounts to in the type that is stored.
    Type real = realOf(type);
    long double limit = real == type ? bound : 0.5L + std::ldexp(bound, FORMATS[type].digits - FORMATS[real].digits);
    std::string problem;
    std::set<long> written;
    auto &record = worst[label][type];
    record.second = limit;
    for (long i = 0; i < long(wanted.size()) && problem.empty(); i++) {
        long at = layout.at(i);
        written.insert(at);
        long double got = out.get(at), value = wanted[i].value;
        bool wrong;
        if (!isFloat(type)) {
            wrong = got != value;
        } else if (value != value) {
            wrong = got == got;
        } else if (std::isinf(rounded(type, value)) || std::isinf(got)) {
            wrong = got != rounded(type, value);
        } else {
            long double error = std::fabs(got - value) / ulp(type, std::max(std::fabs(value), wanted[i].scale));
            wrong = !(error <= limit);
            record.first = std::max(record.first, error);
        }
        if (wrong) {
            problem = "element " + std::to_string(i) + " is " + text(got) + ", not " + text(value);
        }
    }
    for (long at = out.offset; at < out.length && problem.empty(); at++) {
        if (written.count(at) == 0 && !out.untouched(at)) {
            problem = "position " + std::to_string(at) + " was written";
        }
    }
    check::that(problem.empty(), variant.name + ", " + what + ": " + problem);
}

// ---- main

Group::Group(const char *name, void (*body)()) { groups().push_back({name, body}); }

namespace {
void printTable() {
    std::printf("\n%-28s", "worst error in ULP (bound)");
    for (Type type : {f32, f64, f16, bf16}) {
        std::printf(" %20s", nameOf(type));
    }
    std::printf("\n");
    for (const auto &[label, of] : worst) {
        std::string line;
        for (Type type : {f32, f64, f16, bf16}) {
            char cell[40] = "";
            if (of.count(type)) {
                std::snprintf(cell, sizeof cell, "%.3Lf (%.4Lg)", of.at(type).first, of.at(type).second);
            }
            char padded[48];
            std::snprintf(padded, sizeof padded, " %20s", cell);
            line += padded;
        }
        if (line.find('(') != std::string::npos) {
            std::printf("%-28s%s\n", label.c_str(), line.c_str());
        }
    }
    std::printf("\n");
}
}  // namespace

// Arguments: a filter of groups, then the catalogs of what may be linked in.
int main(int count, char **words) {
    std::string filter = count > 1 ? words[1] : "";
    for (int i = 2; i < count; i++) {
        readCatalog(words[i]);
    }
    bool any = false;
    for (const auto &[name, body] : groups()) {
        if (name.find(filter) == std::string::npos) {
            continue;
        }
        any = true;
        long passed = check::passed, failed = check::failed, before = launches;
        body();
        std::printf(
                "%-14s %6ld launches, %6ld passed, %ld failed\n",
                name.c_str(),
                launches - before,
                check::passed - passed,
                check::failed - failed);
        std::fflush(stdout);
    }
    if (!any) {
        std::printf("no group's name contains \"%s\"\n", filter.c_str());
        return 1;
    }
    printTable();
    for (std::size_t i = 0; filter.empty() && i < host::entries(); i++) {
        check::that(launched.count(host::entry(i).name) != 0, std::string(host::entry(i).name) + " was never launched");
    }
    std::map<std::string, long> linked;
    for (const Variant &each : catalog) {
        linked[each.file] += host::find(each.name.c_str()) != nullptr;
    }
    for (const auto &[file, number] : linked) {
        check::that(!filter.empty() || number > 0, "kernels of " + file + ".k are compiled into this program");
    }
    if (filter.empty()) {
        std::printf("%zu kernels of %zu in the catalogs, each launched\n", host::entries(), catalog.size());
    }
    return check::end();
}
