/**
 * Tests that run on every device: {@link org.tenon.junit.DeviceTest} for JUnit 5, and assertions for tensors. In the artifact
 * {@code org.tenon:tenon} with the classifier {@code test-support}; it needs {@code junit-jupiter-api} 5.13 or newer.
 */
package org.tenon.junit;
