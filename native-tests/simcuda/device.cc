// Start of the driver, and what there is to know of its devices.
#include "driver.h"

#include <cstdlib>
#include <cstring>

std::mutex state;
Settings settings;
bool initialised = false;
std::vector<std::unique_ptr<Device>> devices;

API simcuda_fail(const char *call, int nth, int error);

namespace {
long long number(const char *name, long long otherwise) {
    const char *text = getenv(name);
    if (!text || !*text) {
        return otherwise;
    }
    char *end = nullptr;
    long long value = strtoll(text, &end, 0);
    if (*end || value < 0) {
        say("%s=%s is not a number; using %lld", name, text, otherwise);
        return otherwise;
    }
    return value;
}

// SIMCUDA_FAIL=CALL:NTH:ERROR[,CALL:NTH:ERROR...]
void read_faults() {
    const char *text = getenv("SIMCUDA_FAIL");
    std::string all = text ? text : "";
    for (size_t at = 0; at < all.size();) {
        size_t end = std::min(all.find(',', at), all.size());
        std::string one = all.substr(at, end - at);
        char call[128];
        int nth = 0, error = 0;
        if (sscanf(one.c_str(), "%127[^:]:%d:%d", call, &nth, &error) == 3 && nth != 0) {
            simcuda_fail(call, nth, error);
        } else {
            say("SIMCUDA_FAIL: '%s' is not CALL:NTH:ERROR", one.c_str());
        }
        at = end + 1;
    }
}

struct Start {
    Start() {
        settings.devices = (int) number("SIMCUDA_DEVICES", settings.devices);
        settings.memory = (size_t) number("SIMCUDA_MEMORY", (long long) settings.memory);
        settings.driver = (int) number("SIMCUDA_DRIVER_VERSION", settings.driver);
        settings.multiprocessors = (int) number("SIMCUDA_MULTIPROCESSORS", settings.multiprocessors);
        settings.delay = (int) number("SIMCUDA_DELAY", 0);
        settings.log = number("SIMCUDA_LOG", 0) != 0;
        int capability = (int) number("SIMCUDA_CAPABILITY", settings.major * 10 + settings.minor);
        settings.major = capability / 10;
        settings.minor = capability % 10;
        read_faults();
    }
} start;

int attribute(const Device &device, int which) {
    switch (which) {
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: return 1024;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: return 64;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: return 2147483647;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y: return 65535;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: return 65535;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return 49152;
        case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY: return 65536;
        case CU_DEVICE_ATTRIBUTE_WARP_SIZE: return 32;
        case CU_DEVICE_ATTRIBUTE_MAX_PITCH: return 2147483647;
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK: return 65536;
        case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: return 1000000;
        case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT: return 512;
        case CU_DEVICE_ATTRIBUTE_GPU_OVERLAP: return 1;
        case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return settings.multiprocessors;
        case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY: return 1;
        case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS: return 1;
        case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID: return device.ordinal + 1;
        case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: return 1000000;
        case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: return 64;
        case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: return 1 << 20;
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return 2048;
        case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT: return 2;
        case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING: return 1;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return settings.major;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return settings.minor;
        case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED: return 1;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: return 233472;
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: return 65536;
        case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY: return 1;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return 232448;
        case CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED: return 1;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR: return 32;
        case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK: return 1024;
        case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: return 1;
        case CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH: return settings.major >= 9;
        default: return 0;
    }
}
} // namespace

Device *device_of(CUdevice ordinal) {
    return ordinal >= 0 && ordinal < (int) devices.size() ? devices[ordinal].get() : nullptr;
}

API cuInit(unsigned flags) {
    ANY(cuInit);
    NEEDS(flags == 0);
    if (settings.devices == 0) {
        return CUDA_ERROR_NO_DEVICE;
    }
    Locked held(state);
    if (!initialised) {
        catch_illegal_accesses();
    }
    while ((int) devices.size() < settings.devices) {
        auto device = std::make_unique<Device>();
        device->ordinal = (int) devices.size();
        device->limit = settings.memory;
        devices.push_back(std::move(device));
    }
    initialised = true;
    return CUDA_SUCCESS;
}

API cuDriverGetVersion(int *version) {
    ANY(cuDriverGetVersion);
    NEEDS(version);
    *version = settings.driver;
    return CUDA_SUCCESS;
}

API cuDeviceGetCount(int *count) {
    DRIVER(cuDeviceGetCount);
    NEEDS(count);
    *count = (int) devices.size();
    return CUDA_SUCCESS;
}

API cuDeviceGet(CUdevice *device, int ordinal) {
    DRIVER(cuDeviceGet);
    NEEDS(device);
    if (!device_of(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *device = ordinal;
    return CUDA_SUCCESS;
}

API cuDeviceGetName(char *name, int length, CUdevice ordinal) {
    DRIVER(cuDeviceGetName);
    NEEDS(name && length > 0);
    if (!device_of(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    strncpy(name, "Tenon stand-in driver (no GPU)", (size_t) length);
    name[length - 1] = 0;
    return CUDA_SUCCESS;
}

static CUresult uuid(CUuuid *result, CUdevice ordinal) {
    NEEDS(result);
    if (!device_of(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    memcpy(result->bytes, "tenon-standin-0", 16);
    result->bytes[15] = (char) ordinal;
    return CUDA_SUCCESS;
}

API cuDeviceGetUuid(CUuuid *result, CUdevice ordinal) {
    DRIVER(cuDeviceGetUuid);
    return uuid(result, ordinal);
}

API cuDeviceGetUuid_v2(CUuuid *result, CUdevice ordinal) {
    DRIVER(cuDeviceGetUuid_v2);
    return uuid(result, ordinal);
}

API cuDeviceTotalMem_v2(size_t *bytes, CUdevice ordinal) {
    DRIVER(cuDeviceTotalMem_v2);
    NEEDS(bytes);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *bytes = device->limit;
    return CUDA_SUCCESS;
}

API cuDeviceGetAttribute(int *value, int which, CUdevice ordinal) {
    DRIVER(cuDeviceGetAttribute);
    NEEDS(value && which > 0 && which <= CU_DEVICE_ATTRIBUTE_LAST);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *value = attribute(*device, which);
    return CUDA_SUCCESS;
}

API cuDeviceComputeCapability(int *major, int *minor, CUdevice ordinal) {
    DRIVER(cuDeviceComputeCapability);
    NEEDS(major && minor);
    if (!device_of(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *major = settings.major;
    *minor = settings.minor;
    return CUDA_SUCCESS;
}

API cuDeviceGetPCIBusId(char *id, int length, CUdevice ordinal) {
    DRIVER(cuDeviceGetPCIBusId);
    NEEDS(id && length > 0);
    if (!device_of(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    snprintf(id, (size_t) length, "0000:%02x:00.0", ordinal + 1);
    return CUDA_SUCCESS;
}

API cuDeviceGetByPCIBusId(CUdevice *device, const char *id) {
    DRIVER(cuDeviceGetByPCIBusId);
    NEEDS(device && id);
    unsigned domain = 0, bus = 0;
    if (sscanf(id, "%x:%x", &domain, &bus) != 2 || domain != 0 || !device_of((int) bus - 1)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *device = (int) bus - 1;
    return CUDA_SUCCESS;
}

API cuDeviceCanAccessPeer(int *can, CUdevice from, CUdevice to) {
    DRIVER(cuDeviceCanAccessPeer);
    NEEDS(can);
    if (!device_of(from) || !device_of(to)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *can = from != to;
    return CUDA_SUCCESS;
}
