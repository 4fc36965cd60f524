/**
 * What a backend implements and what ops compute with. Depends on nothing but the element and device types and the
 * exceptions of {@code org.tenon}.
 */
package org.tenon.spi;
