package org.tenon.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;

/** The loader: which samples come in which batch, how far ahead it works, how it ends. */
@Timeout(60)
class DataLoaderTest {
    private static final Device<Cpu> CPU = Devices.cpu();

    /** Numbers as samples, arrays of them as batches. */
    private static BatchSource<int[]> numbers(int size) {
        return new BatchSource<>() {
            @Override
            public int size() {
                return size;
            }

            @Override
            public int[] batch(int[] indices) {
                return indices;
            }
        };
    }

    private static <B> List<B> all(Batches<B> batches) {
        List<B> all = new ArrayList<>();
        try (batches) {
            batches.forEach(all::add);
        }
        return all;
    }

    @AfterEach
    void noThreadIsLeft() {
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("tenon-loader");
    }

    @Test
    void batchesInOrder() {
        DataLoader<int[]> loader = DataLoader.of(numbers(7), 3);
        assertThat(loader.batchesPerEpoch()).isEqualTo(3);
        assertThat(all(loader.epoch(0))).containsExactly(new int[] {0, 1, 2}, new int[] {3, 4, 5}, new int[] {6});
        assertThat(all(loader.dropLast().epoch(0))).hasSize(2);
        assertThat(loader.dropLast().batchesPerEpoch()).isEqualTo(2);
        assertThat(all(DataLoader.of(numbers(0), 3).epoch(0))).isEmpty();
        assertThat(all(DataLoader.of(numbers(6), 3).dropLast().epoch(0))).hasSize(2);
        assertThat(all(DataLoader.of(numbers(2), 3).dropLast().epoch(0))).isEmpty();
    }

    @Test
    void shufflingDependsOnSeedAndEpochAlone() {
        DataLoader<int[]> loader = DataLoader.of(numbers(100), 7).shuffle(11);
        List<int[]> first = all(loader.epoch(0));
        for (int ahead : new int[] {0, 1, 5}) {
            assertThat(all(loader.prefetch(ahead).epoch(0)).toArray(int[][]::new))
                    .isDeepEqualTo(first.toArray(int[][]::new));
        }
        assertThat(flat(first)).isNotEqualTo(flat(all(loader.epoch(1))));
        assertThat(flat(first))
                .isNotEqualTo(
                        flat(all(DataLoader.of(numbers(100), 7).shuffle(12).epoch(0))));
        assertThat(Arrays.stream(flat(first)).sorted().toArray())
                .isEqualTo(Sampler.sequential().order(100, 0));
        try (Batches<int[]> rest = loader.epoch(0, 4)) {
            assertThat(rest.position()).isEqualTo(4);
            assertThat(rest.remaining()).isEqualTo(11);
            assertThat(rest.next()).isEqualTo(first.get(4));
        }
    }

    private static int[] flat(List<int[]> batches) {
        return batches.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** Every order of three is as likely as every other: 6,000 epochs, chi-squared with 5 degrees of freedom. */
    @Test
    void ordersAreEquallyLikely() {
        int[] counts = new int[27];
        for (int epoch = 0; epoch < 6000; epoch++) {
            int[] order = Sampler.shuffled(5).order(3, epoch);
            counts[order[0] * 9 + order[1] * 3 + order[2]]++;
        }
        double chi = Arrays.stream(counts)
                .filter(count -> count > 0)
                .mapToDouble(count -> (count - 1000.0) * (count - 1000.0) / 1000)
                .sum();
        assertThat(Arrays.stream(counts).filter(count -> count > 0)).hasSize(6);
        assertThat(chi).isLessThan(20.5);
    }

    @Test
    void samplers() {
        assertThat(Sampler.withReplacement(50, 1).order(3, 0)).hasSize(50).contains(0, 1, 2);
        int[] counts = new int[3];
        for (int drawn : Sampler.weighted(new double[] {1, 0, 3}, 10_000, 1).order(3, 0)) {
            counts[drawn]++;
        }
        assertThat(counts[1]).isZero();
        assertThat(counts[0]).isBetween(2350, 2650);
        assertThat(Sampler.subset(new int[] {5, 7}, Sampler.sequential()).order(9, 0))
                .containsExactly(5, 7);
        assertThatThrownBy(() -> Sampler.weighted(new double[] {0}, 1, 1)).hasMessageContaining("all weights are 0");
        assertThatThrownBy(() -> Sampler.weighted(new double[] {-1}, 1, 1)).hasMessageContaining("weight 0 is -1");
        assertThatThrownBy(() -> Sampler.weighted(new double[] {1}, 1, 1).order(2, 0))
                .hasMessageContaining("1 weights for 2 samples");
        assertThatThrownBy(() -> DataLoader.of(numbers(2), 1)
                        .sampler((size, epoch) -> new int[] {2})
                        .epoch(0))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("sample 2");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void batchesAreOnTheDeviceAndFreed(Device<?> device) {
        onDevice(device);
    }

    private <Dev extends DeviceType> void onDevice(Device<Dev> device) {
        long before = device.memory().liveBuffers();
        float[] numbers = new float[40];
        long[] labels = new long[10];
        for (int i = 0; i < 10; i++) {
            Arrays.fill(numbers, 4 * i, 4 * i + 4, i);
            labels[i] = i;
        }
        HostArray<R2<Dim, Dim>, F32> x = HostArray.of(numbers, R2.of(10, 4));
        HostArray<R1<Dim>, I64> y = HostArray.of(labels, R1.of(10));
        var loader = DataLoader.of(TensorDataset.of(x, y).on(device), 3).shuffle(1);
        double sum = 0;
        try (var batches = loader.epoch(0)) {
            Tensor<R2<Dim, Dim>, F32, Dev> last = null;
            for (var batch : batches) {
                assertThat(last == null || last.value().isClosed()).isTrue();
                last = batch.input();
                assertThat(batch.input().device()).isEqualTo(device);
                sum += Scope.call(() -> batch.input().sum().item());
                assertThat(batch.input().select(1, 0).toLongArray())
                        .isEqualTo(batch.target().toLongArray());
            }
        }
        assertThat(sum).isEqualTo(4 * 45);
        try (var batches = loader.epoch(1)) {
            batches.next();
        }
        try (var batches = loader.prefetch(0).epoch(1)) {
            batches.next();
        }
        // On a busy machine the collector tells late of the views.
        for (int i = 0; i < 100 && device.memory().liveBuffers() != before; i++) {
            org.tenon.spi.Collected.collect();
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @Test
    void worksNoFurtherAheadThanAsked() throws InterruptedException {
        AtomicInteger made = new AtomicInteger();
        Dataset<Integer> samples = new Dataset<>() {
            @Override
            public int size() {
                return 100;
            }

            @Override
            public Integer get(int index) {
                return made.incrementAndGet();
            }
        };
        try (var batches =
                DataLoader.of(samples.batched(all -> all), 1).prefetch(3).epoch(0)) {
            batches.next();
            for (int i = 0; i < 100 && made.get() < 4; i++) {
                Thread.sleep(10);
            }
            Thread.sleep(100);
            assertThat(made.get()).isEqualTo(4);
        }
    }

    @Test
    void preparesWhileTheCallerComputes() throws InterruptedException {
        CountDownLatch second = new CountDownLatch(2);
        BatchSource<Integer> source = new BatchSource<>() {
            @Override
            public int size() {
                return 4;
            }

            @Override
            public Integer batch(int[] indices) {
                second.countDown();
                return indices[0];
            }
        };
        try (var batches = DataLoader.of(source, 1).epoch(0)) {
            assertThat(batches.next()).isZero();
            assertThat(second.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void failuresReachTheCaller() {
        Dataset<Integer> samples = new Dataset<>() {
            @Override
            public int size() {
                return 5;
            }

            @Override
            public Integer get(int index) throws IOException {
                if (index == 3) {
                    throw new IOException("disk on fire");
                }
                return index;
            }
        };
        for (int ahead : new int[] {0, 2}) {
            try (var batches = DataLoader.of(samples.batched(all -> all), 1)
                    .prefetch(ahead)
                    .epoch(0)) {
                assertThat(batches.next()).containsExactly(0);
                batches.next();
                batches.next();
                assertThatThrownBy(batches::next)
                        .isInstanceOf(TensorStateException.class)
                        .hasMessage("dataLoader: batch 3 could not be made: java.io.IOException: disk on fire")
                        .hasRootCauseInstanceOf(IOException.class);
                assertThat(batches.hasNext()).isFalse();
                assertThatThrownBy(batches::next).hasMessageContaining("after it was closed");
            }
        }
    }

    @Test
    void errorsReachTheCallerToo() {
        BatchSource<Integer> source = new BatchSource<>() {
            @Override
            public int size() {
                return 1;
            }

            @Override
            public Integer batch(int[] indices) {
                throw new OutOfMemoryError("for the test");
            }
        };
        try (var batches = DataLoader.of(source, 1).epoch(0)) {
            assertThatThrownBy(batches::next).hasCauseInstanceOf(OutOfMemoryError.class);
        }
    }

    @Test
    void closingEndsTheThreadInTheMiddle() {
        for (int taken = 0; taken < 5; taken++) {
            Batches<int[]> batches =
                    DataLoader.of(numbers(1000), 1).prefetch(1 + taken % 3).epoch(taken);
            for (int i = 0; i < taken; i++) {
                batches.next();
            }
            batches.close();
            assertThat(batches.hasNext()).isFalse();
            batches.close();
        }
    }

    @Test
    void anInterruptedCallerGoesOn() {
        BatchSource<Integer> slow = new BatchSource<>() {
            @Override
            public int size() {
                return 3;
            }

            @Override
            public Integer batch(int[] indices) throws IOException {
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                return indices[0];
            }
        };
        try (var batches = DataLoader.of(slow, 1).epoch(0)) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(batches::next).hasMessageContaining("was interrupted");
            assertThat(Thread.interrupted()).isTrue();
            assertThat(batches.next()).isZero();
        }
    }

    @Test
    void anAbandonedEpochEndsItsThread() throws InterruptedException {
        abandon();
        for (int i = 0; i < 200 && loaderThreads() > 0; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertThat(loaderThreads()).isZero();
    }

    private static void abandon() {
        DataLoader.of(numbers(1000), 1).epoch(0).next();
    }

    private static long loaderThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("tenon-loader"))
                .count();
    }

    @Test
    void badArgumentsAreRefused() {
        assertThatThrownBy(() -> DataLoader.of(numbers(1), 0)).hasMessageContaining("batch size 0");
        assertThatThrownBy(() -> DataLoader.of(numbers(1), 1).prefetch(-1)).hasMessageContaining("-1 batches");
        assertThatThrownBy(() -> DataLoader.of(numbers(4), 2).epoch(0, 3)).hasMessageContaining("no batch 3");
        assertThatThrownBy(() -> {
                    try (var batches = DataLoader.of(numbers(1), 1).epoch(0)) {
                        batches.next();
                        batches.next();
                    }
                })
                .isInstanceOf(NoSuchElementException.class);
        HostArray<R1<Dim>, I64> three = HostArray.of(new long[3], R1.of(3));
        HostArray<R1<Dim>, I64> two = HostArray.of(new long[2], R1.of(2));
        assertThatThrownBy(() -> TensorDataset.of(three, two)).hasMessageContaining("int64[3] and int64[2]");
        assertThatThrownBy(() -> three.rows(3)).hasMessageContaining("position 3 is outside [0, 3)");
        assertThatThrownBy(() -> HostArray.of(new long[2], R1.of(3)))
                .hasMessageContaining("16 bytes, int64[3] takes 24");
        assertThatThrownBy(() -> three.as(R2.kind())).hasMessageContaining("rank 1");
    }

    @Test
    void windowsOfTokens() {
        TokenDataset windows = TokenDataset.of(new int[] {0, 1, 2, 3, 4, 5}, 3);
        assertThat(windows.size()).isEqualTo(3);
        var loader = DataLoader.of(windows.<Dim, Dim, Cpu>on(CPU), 2);
        try (var batches = loader.epoch(0)) {
            var first = batches.next();
            assertThat(first.input().toLongArray()).containsExactly(0, 1, 2, 1, 2, 3);
            assertThat(first.target().toLongArray()).containsExactly(1, 2, 3, 2, 3, 4);
            assertThat(batches.next().target().toLongArray()).containsExactly(3, 4, 5);
        }
        assertThat(TokenDataset.of(new int[7], 3, 3).size()).isEqualTo(2);
        assertThat(TokenDataset.of(new int[6], 3, 3).size()).isEqualTo(1);
        assertThatThrownBy(() -> TokenDataset.of(new int[3], 3)).hasMessageContaining("3 tokens hold no window of 3");
    }

    @Test
    void partsOfDatasets() throws IOException {
        Dataset<Integer> squares = new Dataset<>() {
            @Override
            public int size() {
                return 10;
            }

            @Override
            public Integer get(int index) {
                return index * index;
            }
        };
        Dataset<String> texts = squares.subset(3, 1).map(each -> "<" + each + ">");
        assertThat(texts.size()).isEqualTo(2);
        assertThat(texts.get(0) + texts.get(1)).isEqualTo("<9><1>");
        assertThatThrownBy(() -> squares.subset(10)).hasMessageContaining("position 10");
        assertThat(all(DataLoader.of(texts.batched(all -> all), 2).epoch(0))).containsExactly(List.of("<9>", "<1>"));
    }
}
