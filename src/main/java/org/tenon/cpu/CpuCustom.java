package org.tenon.cpu;

import java.util.ArrayList;
import java.util.List;
import org.tenon.spi.CustomCall;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.Elements;
import org.tenon.spi.Strided;

/** Kernels of users, in Java: their items over the cores. */
final class CpuCustom {
    private CpuCustom() {}

    static void run(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items) {
        List<Elements> elements = new ArrayList<>(inputs.length);
        for (Strided input : inputs) {
            elements.add(elements(input));
        }
        CustomCall call = new CustomCall(elements(out), elements, parameters.clone());
        Parallel.items(
                items,
                Math.max(1, out.count() / Math.max(1, items)),
                (from, to) -> kernel.sources().cpu().run(call, from, to));
    }

    private static Elements elements(Strided operand) {
        int width = operand.dtype().bytes();
        return new Elements(
                CpuBuffer.segment(operand).asSlice(operand.offset() * width, operand.count() * width),
                operand.dtype(),
                operand.sizes());
    }
}
