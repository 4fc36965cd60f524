/**
 * The public face of Tenon: typed tensors, the devices they live on, the functions of them, their gradients and their
 * memory. Depends on {@code org.tenon.op}; only the element types, device types, generator and exceptions here are known to
 * the packages below.
 */
package org.tenon;
