/**
 * Data for training: sources of samples and batches, orders in which to take them, a loader that prepares batches in
 * another thread, and readers of files. What a reader refuses is an {@link org.tenon.io.FileFormatException} that names
 * file and position, before anything large is allocated. Depends on {@code org.tenon} and {@code org.tenon.io}; {@link
 * org.tenon.data.Csv} also on FastCSV, {@link org.tenon.data.Images} on the JDK's module {@code java.desktop}.
 */
package org.tenon.data;
