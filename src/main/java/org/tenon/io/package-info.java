/**
 * Files of tensors: {@link org.tenon.io.Safetensors safetensors}, {@link org.tenon.io.Weights} of modules, and
 * {@link org.tenon.io.Checkpoint checkpoints} that a training goes on from. A file that is damaged, hostile or of another
 * format is a {@link org.tenon.io.FileFormatException} that names file and position, before anything large is allocated.
 * Depends on {@code org.tenon}, {@code org.tenon.nn}, {@code org.tenon.optim}, the copies of {@code org.tenon.op}, and on
 * Jackson's streaming parser for the JSON in a safetensors file.
 */
package org.tenon.io;
