package org.tenon;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.spi.Availability;
import org.tenon.spi.Backend;
import org.tenon.spi.BackendProvider;

/**
 * The devices of this machine. Choosing one at run time is one line, and a generic method captures its type once:
 *
 * <pre>{@code
 * train(Devices.best());
 *
 * static <Dev extends DeviceType> void train(Device<Dev> device) { ... }
 * }</pre>
 */
public final class Devices {
    private static final Logger LOG = LoggerFactory.getLogger(Devices.class);
    private static final List<String> KINDS = List.of("cuda", "opencl", "cpu");

    private Devices() {}

    /** Each kind is looked for once, when it is first asked for: the CPU's users load no driver. */
    private static final class Found {
        private static final Map<String, BackendProvider> PROVIDERS = new HashMap<>();
        private static final Map<String, Availability> KNOWN = new HashMap<>();

        static {
            ServiceLoader.load(BackendProvider.class, Devices.class.getClassLoader())
                    .forEach(provider -> PROVIDERS.put(provider.kind(), provider));
        }

        static synchronized Availability of(String kind) {
            return KNOWN.computeIfAbsent(kind, Found::probe);
        }

        private static Availability probe(String kind) {
            BackendProvider provider = PROVIDERS.get(kind);
            return provider == null
                    ? new Availability.Absent("this build of Tenon has no " + kind + " backend")
                    : provider.probe();
        }
    }

    /** The CPU. */
    public static Device<Cpu> cpu() {
        return new Device<>(find("cpu"));
    }

    /** The OpenCL device of this number, from 0. */
    public static Device<OpenCl> openCl(int ordinal) {
        return new Device<>(find("opencl:" + ordinal));
    }

    /** The CUDA device of this number, from 0. */
    public static Device<Cuda> cuda(int ordinal) {
        return new Device<>(find("cuda:" + ordinal));
    }

    /** A CUDA device under a brand of your own, so that two GPUs have two types: {@code Devices.cuda(1, Gpu1.class)}. */
    public static <Dev extends Cuda> Device<Dev> cuda(int ordinal, Class<Dev> brand) {
        return new Device<>(find("cuda:" + ordinal));
    }

    /** An OpenCL device under a brand of your own. */
    public static <Dev extends OpenCl> Device<Dev> openCl(int ordinal, Class<Dev> brand) {
        return new Device<>(find("opencl:" + ordinal));
    }

    /**
     * The device of this name: {@code cpu}, {@code cuda:0}, {@code opencl:1}; {@code cuda} means {@code cuda:0}, and
     * {@code best} what {@link #best} gives.
     */
    public static Device<?> get(String name) {
        return name.equals("best") ? best() : wrap(find(name));
    }

    /**
     * The best device there is: CUDA, else an OpenCL GPU, else the CPU. {@code -Dtenon.device} or the environment's
     * {@code TENON_DEVICE} decides where set. Logs what it chose, and why not the others. A device that is there but
     * fails later is an error, never a silent change to another.
     */
    public static Device<?> best() {
        String wanted = System.getProperty("tenon.device", System.getenv("TENON_DEVICE"));
        if (wanted != null && !wanted.isBlank() && !wanted.equals("best")) {
            Device<?> device = wrap(find(wanted));
            LOG.info("using {}, as asked: {}", device, device.description());
            return device;
        }
        Backend best = backends().stream()
                .filter(backend -> backend.rank() >= 0)
                .max(Comparator.comparingInt(Backend::rank))
                .orElseThrow(() -> new DeviceUnavailableException("best", "no device works here: " + report()));
        LOG.info("using {}: {}", best.name(), best.description());
        absent().forEach((kind, reason) -> LOG.info("not {}: {}", kind, reason));
        return wrap(best);
    }

    /** Every device that works, the best kinds first. */
    public static List<Device<?>> all() {
        List<Device<?>> all = new ArrayList<>();
        backends().forEach(backend -> all.add(wrap(backend)));
        return all;
    }

    /** A line for every kind of device: what there is, or why there is none. */
    public static List<String> report() {
        List<String> lines = new ArrayList<>();
        for (String kind : KINDS) {
            if (Found.of(kind) instanceof Availability.Ready ready) {
                ready.devices().forEach(device -> lines.add(device.name() + ": " + device.description()));
            } else {
                lines.add(kind + ": " + explain(Found.of(kind)));
            }
        }
        return lines;
    }

    /** The kinds of device, the best first: {@code cuda}, {@code opencl}, {@code cpu}. */
    public static List<String> kinds() {
        return KINDS;
    }

    /** The kinds of which there is no device here, the best first, and why. */
    public static Map<String, String> absent() {
        Map<String, String> absent = new LinkedHashMap<>();
        for (String kind : KINDS) {
            if (!(Found.of(kind) instanceof Availability.Ready)) {
                absent.put(kind, explain(Found.of(kind)));
            }
        }
        return absent;
    }

    private static List<Backend> backends() {
        List<Backend> all = new ArrayList<>();
        for (String kind : KINDS) {
            if (Found.of(kind) instanceof Availability.Ready ready) {
                all.addAll(ready.devices());
            }
        }
        return all;
    }

    private static Backend find(String name) {
        String wanted = name.strip().toLowerCase(Locale.ROOT);
        String kind = wanted.contains(":") ? wanted.substring(0, wanted.indexOf(':')) : wanted;
        if (!KINDS.contains(kind)) {
            throw new DeviceUnavailableException(
                    name, "there is no such kind of device; use " + String.join(", ", KINDS) + ", or best");
        }
        return switch (Found.of(kind)) {
            case Availability.Ready ready -> {
                for (Backend backend : ready.devices()) {
                    if (backend.name().equals(wanted) || backend.name().equals(wanted + ":0")) {
                        yield backend;
                    }
                }
                throw new DeviceUnavailableException(
                        name,
                        "there is no such device; here are "
                                + ready.devices().stream().map(Backend::name).toList());
            }
            case Availability.Absent absent -> throw new DeviceUnavailableException(name, explain(absent));
            case Availability.Broken broken ->
                throw new DeviceUnavailableException(name, explain(broken), broken.cause());
        };
    }

    private static String explain(Availability availability) {
        return switch (availability) {
            case Availability.Ready ready -> ready.devices().size() + " devices";
            case Availability.Absent absent -> absent.reason();
            case Availability.Broken broken -> broken.reason() + "; " + broken.hint();
        };
    }

    private static Device<?> wrap(Backend backend) {
        Class<? extends DeviceType> type = backend.type();
        if (type == Cpu.class) {
            return new Device<Cpu>(backend);
        }
        return OpenCl.class.isAssignableFrom(type) ? new Device<OpenCl>(backend) : new Device<Cuda>(backend);
    }
}
