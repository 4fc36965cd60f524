package org.tenon.contract;

import java.util.List;
import java.util.function.Function;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F32;
import org.tenon.Tensor;

/**
 * What an op owes: samples, and a reference for each.
 *
 * @param method the method of F, Tensor or Device that it covers
 * @param name tells specs of one method apart
 * @param dtypes the element types it is tried in
 * @param samples inputs
 * @param op the op; its types stand for any, since types are erased
 * @param reference the result in float64
 * @param result the element type of the result, null for that of the input
 * @param view whether the result may share memory with the input, and so need not be contiguous
 */
record OpSpec(
        String method,
        String name,
        List<DType> dtypes,
        List<List<Array>> samples,
        Function<List<Tensor<Any, F32, Cpu>>, Tensor<?, ?, ?>> op,
        Function<List<Array>, Array> reference,
        DType result,
        boolean view) {
    static final List<DType> FLOATS = List.of(DType.F32, DType.F64, DType.F16, DType.BF16);
    static final List<DType> NUMBERS = List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64);
    static final List<DType> ALL =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);

    OpSpec asView() {
        return new OpSpec(method, name, dtypes, samples, op, reference, result, true);
    }

    OpSpec giving(DType dtype) {
        return new OpSpec(method, name, dtypes, samples, op, reference, dtype, view);
    }
}
