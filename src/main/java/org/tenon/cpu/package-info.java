/**
 * The CPU backend. Operands are host memory; work goes through arrays, a chunk at a time, in the type it is computed in,
 * over a few threads. Depends on {@code org.tenon.spi} and on the element types of {@code org.tenon}; {@code VectorLanes}
 * alone depends on the Vector API's module.
 */
package org.tenon.cpu;
