#include "test.h"

#include <cstdio>

CUfunction Session::function(const char *name) {
    if (!module) {
        OK(cuModuleLoadData(&module, probes().c_str()));
    }
    CUfunction function = nullptr;
    OK(cuModuleGetFunction(&function, module, name));
    return function;
}

std::string probes() {
    return R"(//
// Written by hand
//
.version 7.8
.target sm_80
.address_size 64

	// .globl	simcuda_axpy
.extern .shared .align 16 .b8 dynamic_shared[];
.global .align 4 .b8 simcuda_table[64];

.visible .entry simcuda_axpy(
	.param .u64 .ptr .align 1 simcuda_axpy_param_0,
	.param .u64 simcuda_axpy_param_1,
	.param .f64 simcuda_axpy_param_2,
	.param .u32 simcuda_axpy_param_3
)
.maxntid 256, 1, 1
{
	.reg .pred %p<2>;
	.shared .align 4 .b8 simcuda_axpy_shared[4000];
	ret; /* } */
}
.visible .entry simcuda_sum(.param .u64 simcuda_sum_param_0)
{
	ret;
}
.visible .entry simcuda_sleep(.param .u64 a, .param .u32 b) { ret; }
.visible .entry simcuda_store(.param .u64 a, .param .u32 b) { ret; }
.visible .entry simcuda_divide(.param .u64 a, .param .u32 b) { ret; }
.visible .entry simcuda_trap() { ret; }
.visible .entry simcuda_ranks(.param .u64 a) .reqntid 64, 1, 1 { ret; }
.visible .entry simcuda_missing(.param .u64 a) { ret; }
)";
}

int main() {
    test_devices();
    test_contexts();
    test_memory();
    test_copies();
    test_pools();
    test_streams();
    test_events();
    test_modules();
    test_launches();
    test_errors();
    test_faults();
    test_capture();
    THAT(simcuda_damage() == 1);
    return check::end();
}
