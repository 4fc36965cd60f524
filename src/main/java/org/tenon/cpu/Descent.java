package org.tenon.cpu;

/** The factors of a step of gradient descent with momentum, see {@link FloatLoops#descend}. */
record Descent(float lr, float decay, float momentum, float fresh) {}
