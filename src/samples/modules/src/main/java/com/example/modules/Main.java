package com.example.modules;

import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.junit.TensorAssertions;

/** Softmax on every device of this machine, with the library in a module of its own. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Module tenon = Devices.class.getModule();
        Module tests = TensorAssertions.class.getModule();
        if (!tenon.getName().equals("org.tenon") || !tests.getName().equals("org.tenon.junit")) {
            throw new IllegalStateException("not on the module path: " + tenon + ", " + tests);
        }
        Devices.report().forEach(System.out::println);
        Devices.all().forEach(Main::check);
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F64, Cpu> x = Devices.cpu().tensor(new double[][] {{1, 2, 3}, {-1e4, 0, 1e4}});
        TensorAssertions.assertClose(F.softmax(x.to(DType.F32).to(device), -1), F.softmax(x, -1));
        System.out.println("softmax agrees on " + device);
    }
}
