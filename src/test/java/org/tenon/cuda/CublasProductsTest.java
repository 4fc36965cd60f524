package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Any;
import org.tenon.Cuda;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.TestDevices;
import org.tenon.support.CCompiler;

/** Products of tensors on the stand-in driver by a library with cuBLAS's functions, against the CPU. */
class CublasProductsTest {
    @TempDir(cleanup = CleanupMode.NEVER)
    static Path folder;

    private static Path library;

    @BeforeAll
    static void compile() throws IOException {
        OnStandIn.assumeThere();
        library = CCompiler.compile(CublasTest.class, "cublas.c", folder.resolve("libcublas.so.12"));
    }

    @AfterEach
    void forget() {
        System.clearProperty("tenon.cublas");
    }

    private static Device<Cuda> device(String cublas) {
        System.setProperty("tenon.cublas", cublas);
        return TestDevices.of(OnStandIn.open());
    }

    @SuppressWarnings("restricted")
    private static int stub(String function, int... arguments) throws Throwable {
        var symbol = SymbolLookup.libraryLookup(library, Arena.global())
                .find(function)
                .orElseThrow();
        var handle = Linker.nativeLinker()
                .downcallHandle(
                        symbol,
                        arguments.length == 0
                                ? FunctionDescriptor.of(ValueLayout.JAVA_INT)
                                : FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        return arguments.length == 0 ? (int) handle.invokeExact() : (int) handle.invokeExact(arguments[0]);
    }

    @Test
    void productsAreThoseOfTheCpu() throws Throwable {
        Device<Cuda> device = device(library.toString());
        int before = stub("stub_calls");
        for (Floating dtype : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
            double tolerance =
                    dtype == DType.F64 ? 1e-12 : dtype == DType.F32 ? 1e-5 : dtype == DType.F16 ? 4e-3 : 3e-2;
            double[] got = all(device, dtype);
            double[] wanted = all(Devices.cpu(), dtype);
            assertThat(got).hasSameSizeAs(wanted);
            for (int i = 0; i < got.length; i++) {
                assertThat(got[i])
                        .isCloseTo(
                                wanted[i],
                                org.assertj.core.api.Assertions.within(tolerance * (1 + Math.abs(wanted[i]))));
            }
        }
        assertThat(stub("stub_calls") - before)
                .as("products that the library did")
                .isEqualTo(4 * 5);
        assertThat(device.memory().liveBuffers()).isZero();
    }

    /** A plain one, one of transposed views, one of a batch, one of a batch by one matrix, a column; one that is not sayable. */
    private static <D extends Floating, Dev extends DeviceType> double[] all(Device<Dev> device, D dtype) {
        return Scope.call(() -> {
            Tensor<Any, D, Dev> x = device.randn(Any.of(7, 5), dtype, new Generator(1));
            Tensor<Any, D, Dev> y = device.randn(Any.of(5, 6), dtype, new Generator(2));
            Tensor<Any, D, Dev> b = device.randn(Any.of(3, 7, 5), dtype, new Generator(3));
            Tensor<Any, D, Dev> c = device.randn(Any.of(3, 5, 4), dtype, new Generator(4));
            double[] sums = new double[0];
            for (Tensor<Any, D, Dev> each : List.of(
                    x.matmul(y),
                    y.transpose(0, 1).matmul(x.transpose(0, 1)),
                    b.matmul(c),
                    b.matmul(y),
                    x.matmul(y.narrow(1, 0, 1)),
                    x.slice(1, 0, 5, 2).matmul(y.slice(0, 0, 5, 2).slice(1, 0, 6, 2)))) {
                double[] part = each.toDoubleArray();
                int from = sums.length;
                sums = java.util.Arrays.copyOf(sums, from + part.length);
                System.arraycopy(part, 0, sums, from, part.length);
            }
            return sums;
        });
    }

    @Test
    void offMeansOff() throws Throwable {
        Device<Cuda> device = device("off");
        int before = stub("stub_calls");
        assertThat(product(device)).isEqualTo(product(Devices.cpu()));
        assertThat(stub("stub_calls")).isEqualTo(before);
    }

    private static <Dev extends DeviceType> double product(Device<Dev> device) {
        return Scope.call(() -> {
            Tensor<Any, F32, Dev> x = device.ones(Any.of(4, 3));
            return x.matmul(x.transpose(0, 1)).sum().item();
        });
    }

    @Test
    void aLibraryThatWasAskedForAndIsNotThereIsAnError() {
        Device<Cuda> device = device("/no/such/libcublas.so.12");
        assertThatThrownBy(() -> product(device))
                .isInstanceOf(TensorStateException.class)
                .hasMessage("cuda:0: cuBLAS was asked for with -Dtenon.cublas, but /no/such/libcublas.so.12 cannot be"
                        + " loaded; give its path, or off");
    }

    @Test
    void failuresAreTold() throws Throwable {
        Device<Cuda> device = device(library.toString());
        assertThat(product(device)).isEqualTo(48);
        stub("stub_fail", 13);
        assertThatThrownBy(() -> product(device))
                .isInstanceOf(TensorStateException.class)
                .hasMessage("cuda:0: the product of 1 times [4, 3] by [3, 4] failed in cuBLAS with"
                        + " CUBLAS_STATUS_EXECUTION_FAILED (13)");
        stub("stub_fail", 3);
        Throwable thrown = catchThrowable(() -> product(device));
        assertThat(thrown).isInstanceOf(OutOfDeviceMemoryException.class);
        stub("stub_fail", 15);
        assertThat(product(device))
                .as("what the library has not is left to our own kernels")
                .isEqualTo(48);
        assertThat(device.memory().liveBuffers()).isZero();
    }
}
