package org.tenon.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.ClassTemplate;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * A test that runs once on each device, which it takes as its parameter:
 *
 * <pre>{@code
 * @DeviceTest
 * <Dev extends DeviceType> void rowsSumToOne(Device<Dev> device) {
 *     Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(8, 100));
 *     assertClose(F.softmax(x, -1).sum(R2.dim1()), 1, 1, 1, 1, 1, 1, 1, 1);
 * }
 * }</pre>
 *
 * <p>A kind of device that is not there shows as skipped, with the reason; {@code Device<Cuda>} or {@code <Dev extends Cuda>}
 * runs on devices of that kind only. On a class it runs the whole class once per device, its {@code @ParameterizedTest} methods
 * too, and the constructor, {@code @BeforeEach} and test methods may take the device.
 *
 * <p>A test runs in a {@link org.tenon.Scope} and fails if more buffers are live on its device afterwards than before, see
 * {@link #buffers}. Since they count a device's buffers, tests of this kind never run at the same time as each other.
 *
 * <p>The system property {@code tenon.test.devices=cpu,opencl} names the devices to run on, by default all;
 * {@code tenon.test.exclude=opencl:1} those to leave out; {@code tenon.test.require=cuda} makes the absence of a device a
 * failure. Each takes names ({@code opencl:0}) and kinds ({@code opencl}).
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@TestTemplate
@ClassTemplate
@ExtendWith(DeviceExtension.class)
@ResourceLock("org.tenon.Device")
public @interface DeviceTest {
    /** Who frees the test's tensors, and whether that is checked. */
    Buffers buffers() default Buffers.SCOPED;
}
