package org.tenon.gpu;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.tenon.DType;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.Strided;

/** Launches of kernels that users wrote. */
final class CustomLaunches {
    private static final int RANK = 8;

    private final GpuRuntime runtime;
    private final Map<CustomKernel, Map<String, GpuKernel>> built = new WeakHashMap<>();

    CustomLaunches(GpuRuntime runtime) {
        this.runtime = runtime;
    }

    void run(CustomKernel kernel, Strided out, Strided[] inputs, double[] parameters, long items) {
        GpuKernel ready = kernel(kernel, out, inputs);
        if (items == 0) {
            return;
        }
        Launch launch = Launch.begin().buffer(out);
        for (Strided input : inputs) {
            launch.buffer(input);
        }
        launch.value(items);
        operand(launch, out);
        for (Strided input : inputs) {
            operand(launch, input);
        }
        for (double parameter : parameters) {
            launch.value(Types.bits(out.dtype(), parameter));
        }
        switch (kernel.grid()) {
            case THREADS -> launch.each(runtime, ready, items);
            case GROUPS -> launch.run(runtime, ready, items);
        }
    }

    private static void operand(Launch launch, Strided operand) {
        launch.offset(operand).value(operand.count());
        for (int i = 0; i < RANK; i++) {
            launch.value(i < operand.rank() ? operand.sizes()[i] : 1);
        }
    }

    private GpuKernel kernel(CustomKernel kernel, Strided out, Strided[] inputs) {
        String preamble = preamble(
                kernel, out.dtype(), Arrays.stream(inputs).map(Strided::dtype).toList());
        Map<String, GpuKernel> variants;
        synchronized (built) {
            variants = built.computeIfAbsent(kernel, _ -> new ConcurrentHashMap<>());
        }
        return variants.computeIfAbsent(preamble, _ -> {
            int block = switch (kernel.grid()) {
                case THREADS -> runtime.traits().threads();
                case GROUPS -> runtime.traits().block();
            };
            return runtime.custom(kernel, preamble, "-DBLOCK=" + block);
        });
    }

    /** The names that a source in C has for its operands; {@code T} is the element type of the result. */
    static String preamble(CustomKernel kernel, DType out, List<DType> inputs) {
        StringBuilder text = new StringBuilder("#define T " + Types.name(out) + "\n#define TYPE_out T\n");
        StringBuilder members = new StringBuilder(members("out"));
        StringBuilder arguments = new StringBuilder("GLOBAL MEM_OF(TYPE_out) *out");
        for (int i = 0; i < inputs.size(); i++) {
            String name = kernel.inputs().get(i).name();
            text.append("#define TYPE_" + name + " " + Types.name(inputs.get(i)) + "\n");
            members.append(members(name));
            arguments.append(", GLOBAL const MEM_OF(TYPE_" + name + ") *" + name);
        }
        for (String parameter : kernel.parameters()) {
            members.append(" long parameter_" + parameter + ";");
        }
        return text + "typedef struct { long items;" + members + " } Arguments;\n"
                + "#define ARGUMENTS " + arguments + ", const Arguments arguments\n"
                + """
                #define REAL REAL_OF(T)
                #define INDEX (GROUP * BLOCK + THREAD)
                #define ITEMS (arguments.items)
                #define COUNT(name) (arguments.name##_count)
                #define SIZE(name, dim) (arguments.name##_sizes[dim])
                #define LOAD(name, i) LOAD_AS(TYPE_##name, name, arguments.name##_at + (i))
                #define STORE(name, i, v) STORE_AS(TYPE_##name, name, arguments.name##_at + (i), v)
                #define PARAMETER(name) NUMBER_OF(T, arguments.parameter_##name)
                """;
    }

    private static String members(String operand) {
        return " long " + operand + "_at; long " + operand + "_count; long " + operand + "_sizes[" + RANK + "];";
    }
}
