/**
 * The CPU backend: every kernel in plain Java over host memory. It computes on chunks: a {@link org.tenon.cpu.Reader} brings a
 * run of elements into an array, a short loop that the compiler vectorises works on the array, a
 * {@link org.tenon.cpu.Writer} takes it back with the right rounding. Depends on {@code org.tenon.spi} and the element and
 * device types and exceptions of {@code org.tenon}, nothing else.
 */
package org.tenon.cpu;
