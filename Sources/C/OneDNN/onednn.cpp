#include "onednn.h"

#include <dlfcn.h>
#include <dnnl.hpp>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>

// Products are matmul primitives whose dimensions and leading dimensions are given at execution. A primitive is then a
// matter of types and transposes only: 64 of them serve every shape, and ragged batches cost no compilation.
namespace {

using dnnl::memory;

struct Library {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};  // a processor stream keeps no state: shared by threads
};

Library &library() {
    static Library instance;
    return instance;
}

memory::data_type data_type(onednn_type type) {
    return type == ONEDNN_BFLOAT16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::dims strides(bool transposed, int64_t leading) {
    return transposed ? memory::dims{1, leading} : memory::dims{leading, 1};
}

dnnl::matmul make_primitive(const onednn_product &p) {
    const int64_t any = DNNL_RUNTIME_DIM_VAL;
    const memory::desc a({any, any}, data_type(p.in_type), strides(p.transpose_a, any));
    const memory::desc b({any, any}, data_type(p.in_type), strides(p.transpose_b, any));
    const memory::desc out({any, any}, data_type(p.out_type), strides(false, any));
    dnnl::primitive_attr attributes;
    if (p.accumulate) {
        dnnl::post_ops post;
        post.append_sum(1.0f);
        attributes.set_post_ops(post);
    }
#if DNNL_VERSION_MAJOR >= 3
    if (p.scale != 1.0f) attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    return dnnl::matmul(dnnl::matmul::primitive_desc(library().engine, a, b, out, attributes));
#else
    if (p.scale != 1.0f) attributes.set_output_scales(0, {DNNL_RUNTIME_F32_VAL});
    return dnnl::matmul(dnnl::matmul::primitive_desc({a, b, out}, attributes, library().engine));
#endif
}

// Where a product's scale is given at execution: version 3 has one for each operand.
#if DNNL_VERSION_MAJOR >= 3
constexpr int scale_argument = DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC;
#else
constexpr int scale_argument = DNNL_ARG_ATTR_OUTPUT_SCALES;
#endif

const dnnl::matmul &primitive(const onednn_product &p) {
    static std::atomic<const dnnl::matmul *> table[64];
    static std::mutex lock;
    const int index = p.transpose_a | p.transpose_b << 1 | p.accumulate << 2 | (p.scale != 1.0f) << 3 |
                      (p.out_type == ONEDNN_BFLOAT16) << 4 | (p.in_type == ONEDNN_BFLOAT16) << 5;
    if (auto *found = table[index].load(std::memory_order_acquire)) return *found;
    std::lock_guard<std::mutex> guard(lock);
    if (auto *found = table[index].load(std::memory_order_acquire)) return *found;
    auto *made = new dnnl::matmul(make_primitive(p));
    table[index].store(made, std::memory_order_release);
    return *made;
}

// oneDNN has no call for its number of threads, so the OpenMP runtime it brings is asked, once on each thread.
void use_one_thread() {
    static const auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    static thread_local bool done = false;
    if (done) return;
    if (set_threads) set_threads(1);
    done = true;
}

// oneDNN's float32 kernels (2.6, with AVX2 and with AVX-512) use the stack pointer for a buffer of the heap's. A signal's handler
// would write its frame over what lies before that buffer, so no signal is handled on this thread meanwhile; those that an
// instruction causes can't wait, and get a stack of their own if their handler asks for it (SA_ONSTACK).
class WithoutSignals {
  public:
    WithoutSignals() {
        static thread_local HandlerStack stack;
        (void)stack;
        sigset_t late;
        sigfillset(&late);
        for (int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP}) sigdelset(&late, own);
        pthread_sigmask(SIG_BLOCK, &late, &before);
    }
    ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }

  private:
    // As long as the thread lives; nothing where it has such a stack already.
    class HandlerStack {
      public:
        HandlerStack() {
            stack_t now{};
            if (sigaltstack(nullptr, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
            bytes.reset(new (std::nothrow) char[size]);
            stack_t own{};
            own.ss_sp = bytes.get();
            own.ss_size = size;
            if (bytes && sigaltstack(&own, nullptr) != 0) bytes.reset();
        }
        ~HandlerStack() {
            stack_t none{};
            none.ss_flags = SS_DISABLE;
            if (bytes) sigaltstack(&none, nullptr);
        }

      private:
        static constexpr size_t size = 1 << 17;  // a frame with the state of tiles is about 11 KiB
        std::unique_ptr<char[]> bytes;
    };

    sigset_t before;
};

memory operand(const void *data, int64_t rows, int64_t columns, onednn_type type, bool transposed, int64_t leading) {
    const memory::desc desc({rows, columns}, data_type(type), strides(transposed, leading));
    return memory(desc, library().engine, const_cast<void *>(data));
}

void execute(const onednn_product &p) {
    const memory a = operand(p.a, p.m, p.k, p.in_type, p.transpose_a, p.ld_a);
    const memory b = operand(p.b, p.k, p.n, p.in_type, p.transpose_b, p.ld_b);
    const memory out = operand(p.out, p.m, p.n, p.out_type, false, p.ld_out);
    float scale = p.scale;
    dnnl_exec_arg_t arguments[4] = {
        {DNNL_ARG_SRC, a.get()}, {DNNL_ARG_WEIGHTS, b.get()}, {DNNL_ARG_DST, out.get()}, {0, nullptr}};
    int count = 3;
    memory scale_memory;
    if (scale != 1.0f) {
        static const memory::desc one({1}, memory::data_type::f32, memory::dims{1});
        scale_memory = memory(one, library().engine, &scale);
        arguments[count++] = {scale_argument, scale_memory.get()};
    }
    std::optional<WithoutSignals> quiet;
    if (p.in_type == ONEDNN_FLOAT32) quiet.emplace();
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive(p).get(), library().stream.get(), count, arguments), "matrix product failed");
}

}  // namespace

const char *onednn_multiply(const onednn_product *product) {
    static thread_local char message[200];
    try {
        use_one_thread();
        execute(*product);
        return nullptr;
    } catch (const std::exception &problem) {
        snprintf(message, sizeof message, "%s", problem.what());
    } catch (...) {
        snprintf(message, sizeof message, "unknown error");
    }
    return message;
}

bool onednn_has_bfloat16(void) {
#if defined(__x86_64__)
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
#else
    return false;
#endif
}

bool onednn_rows_are_alike(onednn_type type) {
#if defined(__x86_64__)
    const dnnl_version_t *version = dnnl_version();
    if (version->major != 2 || version->minor != 6) return false;
    const auto isa = dnnl_get_effective_cpu_isa();
    if (type == ONEDNN_BFLOAT16) return isa == dnnl_cpu_isa_avx512_core_bf16;  // with AMX our tiles multiply
    return (isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
#else
    return false;
#endif
}

const char *onednn_version(void) {
    static const std::string text = [] {
        const dnnl_version_t *version = dnnl_version();
        return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
    }();
    return text.c_str();
}
