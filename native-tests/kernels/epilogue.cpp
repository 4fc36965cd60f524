// epilogue.k: every activation, with and without each part, against the same in long double; the words of dropout come from a Philox
// that numbers.cpp checks against published ones.
#include <cmath>

#include "philox.h"
#include "test.h"

namespace {

typedef long double L;
const L ROOT_HALF = 0.707106781186547524400844362104849039L;
const L ROOT_2_PI = 0.797884560802865355879892119868763737L;
const L PI = 3.14159265358979323846264338327950288L;

// As org.tenon.gpu.Epilogues numbers them.
enum { NONE, RELU, GELU, GELU_TANH, SILU, TANH, SIGMOID, ACTIVATIONS };

L sigmoid(L x) { return 1 / (1 + std::exp(-x)); }

L activated(int activation, L x) {
    switch (activation) {
    case RELU: return x > 0 ? x : 0;
    case GELU: return 0.5L * x * std::erfc(-x * ROOT_HALF);
    case GELU_TANH: return 0.5L * x * (1 + std::tanh(ROOT_2_PI * (x + 0.044715L * x * x * x)));
    case SILU: return x * sigmoid(x);
    case TANH: return std::tanh(x);
    case SIGMOID: return sigmoid(x);
    default: return x;
    }
}

L slope(int activation, L x) {
    L t = std::tanh(ROOT_2_PI * (x + 0.044715L * x * x * x));
    switch (activation) {
    case RELU: return x > 0 ? 1 : 0;
    case GELU: return 0.5L * std::erfc(-x * ROOT_HALF) + x * std::exp(-0.5L * x * x) / std::sqrt(2 * PI);
    case GELU_TANH: return 0.5L * (1 + t) + 0.5L * x * (1 - t * t) * ROOT_2_PI * (1 + 3 * 0.044715L * x * x);
    case SILU: return sigmoid(x) * (1 + x * sigmoid(-x));
    case TANH: return 1 - std::tanh(x) * std::tanh(x);
    case SIGMOID: return sigmoid(x) * sigmoid(-x);
    default: return 1;
    }
}

// Where numbers lie that a kernel reads from memory.
const long MOVED = 5;

struct Problem {
    int activation;
    long count, length;
    bool bias, dropout, residual, drawn;
    // Offsets of the operands: multiples of four where they are to be aligned.
    long x, b, other, out;
};

void epilogue(const Variant &v, bool backward, const Problem &p) {
    Type type = v.type("T"), real = realOf(type);
    const unsigned long seed = 0x123456789ABCul, counter = 0xFFFFFFFEul;
    const long below = 0xC00000;
    Buffer x(type, p.count + p.x, p.x), bias(type, p.length + p.b, p.b), other(type, p.count + p.other, p.other),
            out(type, p.count + p.out, p.out), moving(i64, MOVED + 2, MOVED);
    moving.set(MOVED, long(seed));
    moving.set(MOVED + 1, long(counter));
    Numbers numbers(73);
    for (long i = 0; i < p.count; i++) {
        x.set(p.x + i, numbers.uniform(-3, 3));
        other.set(p.other + i, numbers.uniform(-3, 3));
    }
    for (long i = 0; i < p.length; i++) {
        bias.set(p.b + i, numbers.uniform(-1, 1));
    }
    bool uses = backward || p.residual;
    Arguments a{{&out, &x, p.bias ? &bias : &x, uses ? &other : &x, p.drawn ? &moving : &x},
                {p.count, p.bias ? p.length : 1, p.x, p.bias ? p.b : 0, uses ? p.other : 0, p.out, p.activation, p.bias,
                 p.residual, p.dropout}};
    a.add(below).add(bits(type, 4.0L / 3)).add(p.drawn ? 0 : long(seed)).add(p.drawn ? 0 : long(counter));
    a.add(p.drawn).add(p.drawn ? MOVED : 0);
    a.add(p.x % 4 == 0 && p.out % 4 == 0 && (!uses || p.other % 4 == 0));
    a.add(p.bias && p.length % 4 == 0 && p.b % 4 == 0);
    run(v, groupsFor((p.count + 3) / 4, v), a);
    std::vector<Reference> wanted;
    L rest = rounded(real, 4.0L / 3);
    for (long i = 0; i < p.count; i++) {
        L sum = rounded(real, x.get(p.x + i) + (p.bias ? bias.get(p.b + i % p.length) : 0));
        L second = other.get(p.other + i);
        L factor = !p.dropout ? 1 : (philoxWord(seed, counter, i) >> 8) < below ? rest : 0;
        if (backward) {
            wanted.push_back({factor * second * slope(p.activation, sum), std::fabs(factor * second) * 2});
        } else {
            L y = factor * activated(p.activation, sum);
            wanted.push_back({y + (p.residual ? second : 0), std::fabs(factor * sum) + (p.residual ? std::fabs(second) : 0)});
        }
    }
    compare(v, backward ? "epilogue_grad" : "epilogue", out, Layout::dense({p.count}, p.out), wanted, 3,
            std::to_string(p.count) + " elements of activation " + std::to_string(p.activation) + ", rows of "
                    + std::to_string(p.length));
}

void all(const Variant &v, bool backward) {
    for (int activation = backward ? RELU : NONE; activation < ACTIVATIONS; activation++) {
        for (int parts = 0; parts < 16; parts++) {
            bool bias = parts & 1, dropout = parts & 2, residual = parts & 4 && !backward, drawn = dropout && parts & 8;
            epilogue(v, backward, {activation, 1026, 6, bias, dropout, residual, drawn, 4, 8, 12, 4});
            epilogue(v, backward, {activation, 96, 12, bias, dropout, residual, drawn, 4, 8, 12, 4});
        }
    }
    for (long length : {1L, 2L, 3L, 4L, 5L, 7L, 8L, 1023L}) {
        for (long odd = 0; odd < 16; odd++) {
            long rows = length > 100 ? 3 : 41;
            Problem p = {GELU, rows * length, length, true, true, !backward, false, 4, 8, 4, 12};
            p.x += odd & 1, p.b += odd >> 1 & 1, p.other += odd >> 2 & 1, p.out += odd >> 3 & 1;
            epilogue(v, backward, p);
        }
    }
}

const Group GROUP_EPILOGUE("epilogue", [] {
    for (const Variant &v : variants("epilogue", "epilogue")) {
        all(v, false);
    }
    for (const Variant &v : variants("epilogue", "epilogue_grad")) {
        all(v, true);
    }
});

}  // namespace
