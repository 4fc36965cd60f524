# Builds the native tests into $(OUT); native-tests/run.sh calls it. KERNELS is the folder of the kernels' sources.
OUT ?= target/native-tests
KERNELS ?= kernels
CXX ?= g++
HERE := native-tests
# Kernels must keep to what they say: no fused products, no assumptions on types of what memory holds.
FLAGS := -std=c++17 -O1 -g1 -ffp-contract=off -fno-strict-aliasing -I $(HERE)/host -I $(HERE)/kernels -pthread
SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined
WARN := -Wall -Wextra -Werror
# The same form for every type takes long to compile and shows little: float32 in full, of others a few.
SOFTMAX_ROWS := softmax__softmax_rows.*(T_f32__U_f32|T_f64.*BLOCK_128|T_f16__U_f16.*BLOCK_512|T_bf16__U_bf16.*CLUSTER|T_f16__U_f32.*BLOCK_128|T_f32__U_(f16.*CLUSTER|bf16.*BLOCK_128))
SOFTMAX_SHORT := softmax__softmax_short.*(T_f32__U_f32.*|T_f64.*KEEP_8|T_f16__U_f16.*KEEP_16|T_bf16__U_bf16.*KEEP_32|T_bf16__U_f32.*KEEP_16|T_f16__U_f32.*KEEP_8|T_f32__U_f16.*KEEP_32|T_f32__U_bf16.*KEEP_8)__
SOFTMAX_COLUMNS := softmax__softmax_columns.*(T_f32__U_f32|T_f64|T_f16__U_f16|T_bf16__U_bf16.*WIDTH_8|T_f16__U_f32.*WIDTH_8|T_f32__U_bf16.*WIDTH_8)
ATTENTION := attention__.*(T_f32|T_f16__HEAD_(32|128)|T_bf16__HEAD_64|delta__T_bf16)
NORM := norm__norm_(columns|total|(short|long).*(T_f32|T_f64.*(KEEP_(4|16)|BLOCK_512)|T_f16.*(KEEP_(8|32)__|LONG__BLOCK_512)|T_bf16.*(KEEP_16|LONG__BLOCK_128)))

# Shapes that OpenCL has and the catalog has not: on a CPU a thread for each row, lanes of vectors; softmax of any device. They
# are not CUDA's, nor is their source.
CPU_FILES := copy index matmul nll nllgrad norm reduce scan softmax topk update where
FILES ?= arange attention binary copy dropout epilogue fill index loss matmul nll nllgrad norm random reduce scan softmax_columns softmax_rows softmax_short topk unary update where
TESTS ?= attention elementwise epilogue indexing loss losses matmul moves norm numbers reduce softmax test
HEADERS := $(wildcard $(HERE)/host/*.h $(HERE)/kernels/*.h $(HERE)/*.h)
SOURCES := $(wildcard $(KERNELS)/*.k $(KERNELS)/*.h $(KERNELS)/*.tsv $(KERNELS)/expand.sh) $(HERE)/host/expand.sh

$(OUT)/kernels_test: $(FILES:%=$(OUT)/kernel_%.o) $(CPU_FILES:%=$(OUT)/kernel_cpu_%.o) $(TESTS:%=$(OUT)/test_%.o) $(OUT)/executor.o $(OUT)/fiber.o $(OUT)/switch.o
	$(CXX) $(FLAGS) $(SANITIZE) -o $@ $^

$(OUT)/host_test: $(HERE)/host/test/host_test.cpp $(OUT)/executor.o $(OUT)/fiber.o $(OUT)/switch.o $(HEADERS) $(KERNELS)/portable.host.h
	$(CXX) $(FLAGS) $(WARN) $(SANITIZE) -o $@ $< $(OUT)/executor.o $(OUT)/fiber.o $(OUT)/switch.o

# A source that comes out as it was is not compiled again.
expand = EXPAND=$(KERNELS)/expand.sh $(HERE)/host/expand.sh $(1) >$@.new && \
	{ cmp -s $@.new $@ && rm $@.new || mv $@.new $@; }
$(OUT)/kernel_softmax_rows.cpp: $(SOURCES)
	$(call expand,softmax '$(SOFTMAX_ROWS)')
$(OUT)/kernel_softmax_short.cpp: $(SOURCES)
	$(call expand,softmax '$(SOFTMAX_SHORT)')
$(OUT)/kernel_softmax_columns.cpp: $(SOURCES)
	$(call expand,softmax '$(SOFTMAX_COLUMNS)')
$(OUT)/kernel_attention.cpp: $(SOURCES)
	$(call expand,attention '$(ATTENTION)')
$(OUT)/kernel_norm.cpp: $(SOURCES)
	$(call expand,norm '$(NORM)')
$(OUT)/cpu/expand.sh: $(SOURCES) $(HERE)/kernels/cpu.tsv
	mkdir -p $(OUT)/cpu && cp $(KERNELS)/*.k $(KERNELS)/*.h $(KERNELS)/expand.sh $(OUT)/cpu/ && rm -f $(OUT)/cpu/*.cuda.k && cp $(HERE)/kernels/cpu.tsv $(OUT)/cpu/catalog.tsv
$(OUT)/kernel_cpu_%.cpp: $(OUT)/cpu/expand.sh
	EXPAND=$(OUT)/cpu/expand.sh $(HERE)/host/expand.sh $* >$@
$(OUT)/kernel_%.cpp: $(SOURCES)
	$(call expand,$*)
$(OUT)/kernel_%.o: $(OUT)/kernel_%.cpp $(HEADERS)
	$(CXX) $(FLAGS) -w $(SANITIZE) -c -o $@ $<
$(OUT)/test_%.o: $(HERE)/kernels/%.cpp $(HEADERS)
	$(CXX) $(FLAGS) $(WARN) $(SANITIZE) -c -o $@ $<
$(OUT)/%.o: $(HERE)/host/%.cpp $(HEADERS)
	$(CXX) $(FLAGS) $(WARN) $(SANITIZE) -c -o $@ $<
$(OUT)/switch.o: $(HERE)/host/switch.S
	$(CXX) -c -o $@ $<
.SECONDARY:
