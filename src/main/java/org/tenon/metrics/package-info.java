/**
 * Watching a training: numbers and texts by step go to {@link org.tenon.metrics.Metrics}, and from there to the console, to
 * TensorBoard, or into an HTML page. Depends on {@code org.tenon}'s exceptions and on {@code org.tenon.io}; {@link
 * org.tenon.metrics.HtmlReport} also on uPlot, whose scripts it puts into the page.
 */
package org.tenon.metrics;
