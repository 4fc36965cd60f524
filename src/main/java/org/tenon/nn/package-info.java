/**
 * Layers, modules and losses. A model is a {@link org.tenon.nn.Module} whose fields are its layers:
 *
 * <pre>{@code
 * final class Mlp<Dev extends DeviceType> extends Module<F32, Dev> {
 *     private final Linear<R2<Batch, Pixels>, R2<Batch, Hidden>, F32, Dev> hidden;
 *     private final Linear<R2<Batch, Hidden>, R2<Batch, Classes>, F32, Dev> output;
 *
 *     Mlp(Device<Dev> device, Generator generator) {
 *         hidden = register("hidden", Linear.of(device, F32, 784, 128, generator));
 *         output = register("output", Linear.of(device, F32, 128, 10, generator));
 *     }
 *
 *     Tensor<R2<Batch, Classes>, F32, Dev> forward(Tensor<R2<Batch, Pixels>, F32, Dev> x) {
 *         return output.forward(F.relu(hidden.forward(x)));
 *     }
 * }
 * }</pre>
 *
 * <p>Depends on {@code org.tenon}, and on {@code org.tenon.op} for what tells shared parameters apart and for recurrent layers.
 */
package org.tenon.nn;
