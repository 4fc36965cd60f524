package org.tenon.spi;

import java.util.List;

/** What a user's kernel on the CPU works on. */
public final class CustomCall {
    private final Elements out;
    private final List<Elements> inputs;
    private final double[] parameters;

    /** The result, the inputs, and the parameters of a call. */
    public CustomCall(Elements out, List<Elements> inputs, double... parameters) {
        this.out = out;
        this.inputs = inputs;
        this.parameters = parameters;
    }

    /** The result, whose elements hold anything before. */
    public Elements out() {
        return out;
    }

    /** Input {@code i}, from 0, in row-major order. */
    public Elements input(int i) {
        return inputs.get(i);
    }

    /** Parameter {@code i}, from 0. */
    public double parameter(int i) {
        return parameters[i];
    }
}
