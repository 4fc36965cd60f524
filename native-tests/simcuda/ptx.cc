// As much of the text of a PTX module as a launch depends on: versions, entries, their parameters and limits.
#include "driver.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

namespace {
// Words and punctuation; comments and white space are left out.
class Reader {
    const std::string &text;
    size_t at = 0;

public:
    explicit Reader(const std::string &text) : text(text) {}

    std::string next() {
        skip();
        if (at >= text.size()) {
            return "";
        }
        size_t from = at;
        if (text[at] == '"') {
            at = text.find('"', at + 1);
            at = at == std::string::npos ? text.size() : at + 1;
        } else if (is_word(text[at])) {
            while (at < text.size() && is_word(text[at])) {
                at++;
            }
        } else {
            at++;
        }
        return text.substr(from, at - from);
    }

    std::string peek() {
        size_t before = at;
        std::string word = next();
        at = before;
        return word;
    }

    size_t line() const { return 1 + (size_t) std::count(text.begin(), text.begin() + (long) std::min(at, text.size()), '\n'); }

private:
    static bool is_word(char c) { return isalnum((unsigned char) c) || c == '_' || c == '$' || c == '.' || c == '%'; }

    void skip() {
        while (at < text.size()) {
            if (isspace((unsigned char) text[at])) {
                at++;
            } else if (text.compare(at, 2, "//") == 0) {
                at = std::min(text.find('\n', at), text.size());
            } else if (text.compare(at, 2, "/*") == 0) {
                size_t end = text.find("*/", at + 2);
                at = end == std::string::npos ? text.size() : end + 2;
            } else {
                return;
            }
        }
    }
};

struct Wrong {
    std::string what;
};

size_t number(const std::string &word) {
    char *end = nullptr;
    size_t value = strtoull(word.c_str(), &end, 0);
    if (word.empty() || *end) {
        throw Wrong{"a number was expected, not '" + word + "'"};
    }
    return value;
}

size_t size_of(const std::string &type) {
    if (type.size() >= 3 && type[0] == '.' && strchr("usbf", type[1])) {
        switch (atoi(type.c_str() + 2)) {
            case 8: return 1;
            case 16: return 2;
            case 32: return 4;
            case 64: return 8;
            case 128: return 16;
        }
    }
    if (type == ".pred") {
        return 1;
    }
    return 0;
}

// A declaration after its state space: [.align N] .TYPE [.ptr ...] NAME[N]
struct Declared {
    std::string name;
    size_t bytes = 0, align = 0;
};

Declared declaration(Reader &in) {
    Declared d;
    size_t element = 0;
    while (true) {
        std::string word = in.next();
        if (word == ".align") {
            size_t align = number(in.next());
            // After .ptr it is the alignment of what is pointed to.
            if (element == 0) {
                d.align = align;
            }
        } else if (word == ".v2" || word == ".v4") {
            // Vectors are not used for parameters; their size would be a multiple.
            throw Wrong{"vector types are not understood here"};
        } else if (size_of(word)) {
            element = size_of(word);
        } else if (!word.empty() && word[0] == '.') {
            continue;
        } else {
            d.name = word;
            break;
        }
    }
    if (element == 0) {
        throw Wrong{"'" + d.name + "' has no type"};
    }
    d.bytes = element;
    if (in.peek() == "[") {
        in.next();
        std::string word = in.next();
        d.bytes = word == "]" ? 0 : element * number(word);
        if (word != "]" && in.next() != "]") {
            throw Wrong{"']' was expected after the size of '" + d.name + "'"};
        }
    }
    if (d.align == 0) {
        d.align = element;
    }
    return d;
}

Dim dims(Reader &in) {
    Dim d;
    unsigned *parts[] = {&d.x, &d.y, &d.z};
    for (int i = 0; i < 3; i++) {
        *parts[i] = (unsigned) number(in.next());
        if (in.peek() != ",") {
            break;
        }
        in.next();
    }
    return d;
}

void parameters(Reader &in, Entry &entry) {
    size_t at = 0;
    while (in.peek() != ")") {
        if (in.next() != ".param") {
            throw Wrong{"'.param' was expected in the list of parameters of " + entry.name};
        }
        Declared d = declaration(in);
        at = (at + d.align - 1) / d.align * d.align;
        entry.params.push_back({at, d.bytes});
        at += d.bytes;
        if (in.peek() == ",") {
            in.next();
        }
    }
    in.next();
    entry.param_bytes = at;
}

void body(Reader &in, Entry &entry) {
    for (int depth = 1; depth > 0;) {
        std::string word = in.next();
        if (word.empty()) {
            throw Wrong{"the body of " + entry.name + " does not end"};
        }
        if (word == "{") {
            depth++;
        } else if (word == "}") {
            depth--;
        } else if (word == ".shared") {
            Declared d = declaration(in);
            entry.shared = (entry.shared + d.align - 1) / d.align * d.align + d.bytes;
        }
    }
}

Entry parse_entry(Reader &in) {
    Entry entry;
    entry.name = in.next();
    if (in.peek() == "(") {
        in.next();
        parameters(in, entry);
    }
    while (in.peek() != "{") {
        std::string word = in.next();
        if (word == ".maxntid") {
            entry.max_threads = (unsigned) std::min<unsigned long long>(1024, dims(in).count());
        } else if (word == ".reqntid") {
            entry.required_block = dims(in);
            entry.max_threads = (unsigned) std::min<unsigned long long>(1024, entry.required_block.count());
        } else if (word == ".reqnctapercluster") {
            entry.cluster = dims(in);
        } else if (word == ".maxclusterrank") {
            entry.max_cluster = (unsigned) number(in.next());
        } else if (word.empty() || word == ";") {
            throw Wrong{"the entry " + entry.name + " has no body"};
        }
    }
    in.next();
    body(in, entry);
    return entry;
}

void versions(Reader &in, Ptx &ptx) {
    std::string word = in.next();
    size_t dot = word.find('.');
    if (dot == std::string::npos) {
        throw Wrong{"'.version' needs MAJOR.MINOR"};
    }
    ptx.version = (int) (number(word.substr(0, dot)) * 10 + number(word.substr(dot + 1)));
    if (in.next() != ".target") {
        throw Wrong{"'.target' was expected after '.version'"};
    }
    word = in.next();
    if (word.compare(0, 3, "sm_") != 0) {
        throw Wrong{"'" + word + "' is no target"};
    }
    char *end = nullptr;
    ptx.target = (int) strtol(word.c_str() + 3, &end, 10);
    ptx.target_kind = *end;
}

void parse(Reader &in, Ptx &ptx) {
    if (in.next() != ".version") {
        throw Wrong{"'.version' was expected first"};
    }
    versions(in, ptx);
    if (ptx.version > newest_ptx(settings.driver)) {
        ptx.result = CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
        throw Wrong{"PTX " + std::to_string(ptx.version / 10) + "." + std::to_string(ptx.version % 10)
                + " is newer than this driver's " + std::to_string(newest_ptx(settings.driver) / 10) + "."
                + std::to_string(newest_ptx(settings.driver) % 10)};
    }
    int device = settings.major * 10 + settings.minor;
    if (ptx.target > device || (ptx.target_kind == 'a' && ptx.target != device)) {
        throw Wrong{"the target sm_" + std::to_string(ptx.target) + (ptx.target_kind ? "a" : "")
                + " is not for a device of capability " + std::to_string(settings.major) + "."
                + std::to_string(settings.minor)};
    }
    int depth = 0;
    for (std::string word = in.next(); !word.empty(); word = in.next()) {
        if (word == "{") {
            depth++;
        } else if (word == "}") {
            if (--depth < 0) {
                throw Wrong{"'}' without '{'"};
            }
        } else if (depth == 0 && word == ".entry") {
            ptx.entries.push_back(parse_entry(in));
        } else if (depth == 0 && (word == ".global" || word == ".const")) {
            ptx.globals.push_back(declaration(in).name);
        }
    }
    if (depth > 0) {
        throw Wrong{"'}' is missing at the end"};
    }
}
} // namespace

// The newest PTX that a driver of this version takes, as MAJOR * 10 + MINOR.
int newest_ptx(int driver) {
    int major = driver / 1000, minor = driver % 1000 / 10;
    switch (major) {
        case 11: return 70 + minor;
        case 12: return minor <= 5 ? 80 + minor : 79 + minor;
        case 13: return 90 + minor;
        default: return major < 11 ? 65 : 99;
    }
}

Ptx parse_ptx(const std::string &text) {
    Ptx ptx;
    Reader in(text);
    try {
        parse(in, ptx);
    } catch (const Wrong &wrong) {
        if (!ptx.result) {
            ptx.result = CUDA_ERROR_INVALID_PTX;
        }
        ptx.error = "ptxas application ptx input, line " + std::to_string(in.line()) + "; fatal: " + wrong.what;
    }
    return ptx;
}
