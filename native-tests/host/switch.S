// void host_switch(void **save, void *load): pushes what a callee must keep, puts the stack pointer into *save, takes the
// other one and what was pushed there. host_begin calls the function in one kept register with the argument in another.

#if defined(__APPLE__)
#error "switch.S is written for ELF; define HOST_UCONTEXT"
#endif

#if !defined(HOST_UCONTEXT) && defined(__x86_64__)
    .text
    .globl host_switch
    .hidden host_switch
    .type host_switch, @function
host_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size host_switch, . - host_switch

    .globl host_begin
    .hidden host_begin
    .type host_begin, @function
host_begin:
    .cfi_startproc
    .cfi_undefined rip
    movq %r12, %rdi
    callq *%r13
    ud2
    .cfi_endproc
    .size host_begin, . - host_begin
#elif !defined(HOST_UCONTEXT) && defined(__aarch64__)
    .text
    .globl host_switch
    .hidden host_switch
    .type host_switch, %function
host_switch:
    sub sp, sp, #160
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size host_switch, . - host_switch

    .globl host_begin
    .hidden host_begin
    .type host_begin, %function
host_begin:
    .cfi_startproc
    .cfi_undefined x30
    mov x0, x19
    blr x20
    brk #0
    .cfi_endproc
    .size host_begin, . - host_begin
#endif

#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits
#endif
