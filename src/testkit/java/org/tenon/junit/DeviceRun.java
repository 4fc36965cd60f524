package org.tenon.junit;

import java.lang.reflect.Method;
import java.util.List;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContext;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestInstanceFactoryContext;
import org.junit.jupiter.api.extension.TestInstancePreConstructCallback;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;
import org.tenon.Device;
import org.tenon.Scope;
import org.tenon.spi.Collected;
import org.tenon.spi.MemoryStats;

/**
 * One run of a test or of a class of tests, on one device.
 *
 * @param name of the device, or of the kind that has none
 * @param device null where it is absent
 * @param reason why it is absent, else null
 * @param buffers who frees what the test makes
 */
record DeviceRun(String name, Device<?> device, String reason, Buffers buffers)
        implements TestTemplateInvocationContext,
                ClassTemplateInvocationContext,
                ExecutionCondition,
                TestInstancePreConstructCallback,
                BeforeEachCallback,
                ParameterResolver,
                InvocationInterceptor {
    @Override
    public String getDisplayName(int number) {
        return name;
    }

    /** Nothing: both interfaces have a default, and Java asks which. */
    @Override
    public void prepareInvocation(ExtensionContext context) {}

    @Override
    public List<Extension> getAdditionalExtensions() {
        return List.of(this);
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return device != null || TestDevices.isRequired(name)
                ? ConditionEvaluationResult.enabled(name)
                : ConditionEvaluationResult.disabled(name + " is " + reason);
    }

    /** A constructor that takes the device comes before the condition of the test. */
    @Override
    public void preConstructTestInstance(TestInstanceFactoryContext factory, ExtensionContext context) {
        present();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        present();
    }

    private Device<?> present() {
        if (device != null) {
            return device;
        }
        if (TestDevices.isRequired(name)) {
            throw new AssertionFailedError(name + " is required by tenon.test.require, but " + reason);
        }
        throw new TestAbortedException(name + " is " + reason);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Device.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return present();
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        run(test);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        run(test);
    }

    private void run(Invocation<Void> test) throws Throwable {
        long before = device.memory().liveBuffers();
        if (buffers == Buffers.SCOPED) {
            Scope.call(test::proceed);
        } else {
            test.proceed();
        }
        if (buffers == Buffers.SCOPED && device.memory().liveBuffers() > before) {
            Collected.collect();
        }
        MemoryStats after = device.memory();
        if (buffers != Buffers.UNCHECKED && after.liveBuffers() > before) {
            throw new AssertionFailedError("the test leaks on " + name + ": " + after.liveBuffers()
                    + " buffers are live after it, " + before + " were before; -Dtenon.leaks=trace tells where tensors"
                    + " are made that only the garbage collector frees");
        }
    }
}
