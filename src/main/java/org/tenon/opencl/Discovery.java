package org.tenon.opencl;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/**
 * What a look through all platforms gave.
 *
 * @param platforms their names
 * @param devices those that work, GPUs first
 * @param troubles what did not
 */
record Discovery(List<String> platforms, List<Found> devices, List<String> troubles) {
    static Discovery run() {
        SignalHandlers.keep();
        int[] count = new int[1];
        int status = CL.clGetPlatformIDs(0, null, count);
        SignalHandlers.settle();
        if (status == Status.NO_PLATFORM || status == CL.CL_SUCCESS && count[0] == 0) {
            return new Discovery(List.of(), List.of(), List.of());
        }
        if (status != CL.CL_SUCCESS) {
            return new Discovery(
                    List.of(), List.of(), List.of("clGetPlatformIDs failed with " + CL.stringFor_errorCode(status)));
        }
        cl_platform_id[] platforms = new cl_platform_id[count[0]];
        CL.clGetPlatformIDs(platforms.length, platforms, null);
        List<String> names = new ArrayList<>();
        List<Found> devices = new ArrayList<>();
        List<String> troubles = new ArrayList<>();
        for (cl_platform_id platform : platforms) {
            String name = Found.platformText(platform, CL.CL_PLATFORM_NAME);
            names.add(name);
            addDevices(platform, name, devices, troubles);
        }
        devices.sort(Comparator.comparing(found -> !found.gpu()));
        return new Discovery(names, devices, troubles);
    }

    private static void addDevices(cl_platform_id platform, String name, List<Found> devices, List<String> troubles) {
        int[] count = new int[1];
        int status = CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, 0, null, count);
        SignalHandlers.keep();
        if (status == CL.CL_DEVICE_NOT_FOUND || status == CL.CL_SUCCESS && count[0] == 0) {
            return;
        }
        if (status != CL.CL_SUCCESS) {
            troubles.add(name + ": clGetDeviceIDs failed with " + CL.stringFor_errorCode(status));
            return;
        }
        cl_device_id[] ids = new cl_device_id[count[0]];
        CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, ids.length, ids, null);
        for (cl_device_id id : ids) {
            add(name, new Found(platform, id), devices, troubles);
        }
    }

    private static void add(String platform, Found found, List<Found> devices, List<String> troubles) {
        try {
            if (found.works()) {
                devices.add(found);
            } else {
                troubles.add(platform + ": " + found.description()
                        + " has no compiler for OpenCL C 1.2, or is not available");
            }
        } catch (RuntimeException e) {
            troubles.add(platform + ": a device does not answer: " + e);
        }
    }
}
