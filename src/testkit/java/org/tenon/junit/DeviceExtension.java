package org.tenon.junit;

import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContext;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContextProvider;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.tenon.Cpu;
import org.tenon.Cuda;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.OpenCl;

/** Makes one run of a {@link DeviceTest} for each device, and one for each kind that is absent. */
final class DeviceExtension implements TestTemplateInvocationContextProvider, ClassTemplateInvocationContextProvider {
    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return context.getRequiredTestMethod().isAnnotationPresent(DeviceTest.class);
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        if (context.getRequiredTestClass().isAnnotationPresent(DeviceTest.class)) {
            throw new ExtensionConfigurationException(
                    method.getName() + " and its class are both a @DeviceTest; make the method a @Test");
        }
        List<Class<?>> taken = taken(method);
        if (taken.size() != 1) {
            throw new ExtensionConfigurationException(method.getName() + " is a @DeviceTest and takes " + taken.size()
                    + " devices; it takes one: " + method.getName() + "(Device<Dev> device)");
        }
        return runs(taken, method.getAnnotation(DeviceTest.class)).map(run -> run);
    }

    @Override
    public boolean supportsClassTemplate(ExtensionContext context) {
        return context.getRequiredTestClass().isAnnotationPresent(DeviceTest.class);
    }

    @Override
    public Stream<ClassTemplateInvocationContext> provideClassTemplateInvocationContexts(ExtensionContext context) {
        Class<?> tests = context.getRequiredTestClass();
        List<Class<?>> taken = Arrays.stream(tests.getDeclaredConstructors())
                .flatMap(constructor -> taken(constructor).stream())
                .toList();
        return runs(taken, tests.getAnnotation(DeviceTest.class)).map(run -> run);
    }

    /** The types of device that a method takes: {@code Cuda} for {@code Device<Cuda>} and {@code <Dev extends Cuda>}. */
    private static List<Class<?>> taken(Executable method) {
        List<Class<?>> taken = new ArrayList<>();
        for (Parameter parameter : method.getParameters()) {
            if (parameter.getType() == Device.class) {
                taken.add(
                        parameter.getParameterizedType() instanceof ParameterizedType type
                                ? bound(type.getActualTypeArguments()[0])
                                : DeviceType.class);
            }
        }
        return taken;
    }

    private static Class<?> bound(Type type) {
        return switch (type) {
            case Class<?> exact -> exact;
            case TypeVariable<?> variable -> bound(variable.getBounds()[0]);
            case WildcardType wildcard -> bound(wildcard.getUpperBounds()[0]);
            default -> DeviceType.class;
        };
    }

    private static Stream<DeviceRun> runs(List<Class<?>> taken, DeviceTest test) {
        List<DeviceRun> runs = new ArrayList<>();
        for (Device<?> device : TestDevices.all()) {
            runs.add(new DeviceRun(device.name(), device, null, test.buffers()));
        }
        TestDevices.absent().forEach((name, reason) -> runs.add(new DeviceRun(name, null, reason, test.buffers())));
        for (String name : TestDevices.missing()) {
            runs.add(new DeviceRun(name, null, "absent: there is no such device", test.buffers()));
        }
        return runs.stream().filter(run -> taken.stream().allMatch(type -> matches(type, run.name())));
    }

    /** A brand of the user's own, a subtype of {@code Cuda} or {@code OpenCl}, matches its kind. */
    private static boolean matches(Class<?> type, String name) {
        Class<?> kind = switch (TestDevices.kind(name)) {
            case "cuda" -> Cuda.class;
            case "opencl" -> OpenCl.class;
            default -> Cpu.class;
        };
        return type.isAssignableFrom(kind) || kind.isAssignableFrom(type);
    }
}
