package org.tenon.examples;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.OptimizerParamGroupVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The model and the steps of {@link GptTraining}, without dropout, in PyTorch, from the same parameters. */
final class TorchGpt {
    private static final double CLIP = 1;

    private final Gpt.Size size;
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    /** Theirs once a group has them; freed a second time when collected here. */
    private final List<AdamWOptions> options = new ArrayList<>();

    private final AdamW optimizer;

    TorchGpt(Gpt<?> model, GptTraining.Settings settings) {
        size = model.size();
        model.namedParameters()
                .forEach((name, parameter) -> parameters.put(
                        name,
                        floats(parameter.toFloatArray(), parameter.shape()).requires_grad_(true)));
        optimizer = new AdamW(new OptimizerParamGroupVector(
                group(2, settings.rate(), settings.weightDecay()), group(1, settings.rate(), 0)));
    }

    private OptimizerParamGroup group(int rank, double rate, double weightDecay) {
        AdamWOptions own = new AdamWOptions(rate);
        // A std::tuple, whose last element comes first in memory.
        own.betas().put(0, 0.99).put(1, 0.9);
        own.weight_decay().put(weightDecay);
        options.add(own);
        return new OptimizerParamGroup(
                new TensorVector(parameters.values().stream()
                        .filter(each -> each.dim() == rank)
                        .toArray(Tensor[]::new)),
                own);
    }

    private static Tensor floats(float[] values, long... sizes) {
        try (FloatPointer data = new FloatPointer(values);
                LongPointer shape = new LongPointer(sizes)) {
            return torch.from_blob(data, new LongArrayRef(shape, sizes.length)).clone();
        }
    }

    private Tensor longs(long[] values) {
        Tensor target = torch.empty(
                new long[] {values.length / size.context(), size.context()},
                torch.dtype(torch.ScalarType.Long),
                new org.bytedeco.pytorch.MemoryFormatOptional());
        target.data_ptr_long().put(values, 0, values.length);
        return target;
    }

    /** A step at this learning rate; its loss. */
    double step(long[] x, long[] following, double rate) {
        try (PointerScope _ = new PointerScope()) {
            OptimizerParamGroupVector groups = optimizer.param_groups();
            for (long i = 0; i < groups.size(); i++) {
                groups.get(i).options().set_lr(rate);
            }
            optimizer.zero_grad();
            Tensor loss = loss(longs(x), longs(following));
            loss.backward();
            torch.clip_grad_norm_(new TensorVector(parameters.values().toArray(Tensor[]::new)), CLIP);
            optimizer.step();
            return loss.item_float();
        }
    }

    /** The loss of a batch, without a step. */
    double loss(long[] x, long[] following) {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            return loss(longs(x), longs(following)).item_float();
        }
    }

    private Tensor loss(Tensor x, Tensor following) {
        Tensor positions = parameters.get("positions.weight");
        Tensor h = torch.embedding(parameters.get("tokens.weight"), x).add(positions);
        for (int i = 0; i < size.layers(); i++) {
            String block = "block" + i + ".";
            h = h.add(attention(block + "attention.", norm(block + "attentionNorm.", h)));
            Tensor hidden = torch.gelu(linear(block + "wide.weight", block + "wide.bias", norm(block + "mlpNorm.", h)));
            h = h.add(linear(block + "narrow.weight", block + "narrow.bias", hidden));
        }
        Tensor logits =
                torch.matmul(norm("norm.", h), parameters.get("tokens.weight").t());
        return torch.cross_entropy_loss(logits.view(-1, size.vocabulary()), following.view(-1));
    }

    private Tensor norm(String name, Tensor x) {
        return torch.layer_norm(
                x,
                new long[] {size.embedding()},
                new TensorOptional(parameters.get(name + "weight")),
                new TensorOptional(parameters.get(name + "bias")),
                1e-5,
                true);
    }

    private Tensor linear(String weight, String bias, Tensor x) {
        return torch.linear(x, parameters.get(weight), new TensorOptional(parameters.get(bias)));
    }

    private Tensor attention(String name, Tensor x) {
        TensorVector parts =
                linear(name + "in_proj_weight", name + "in_proj_bias", x).split(size.embedding(), 2);
        List<Tensor> heads = Arrays.stream(parts.get())
                .map(part -> part.view(x.size(0), x.size(1), size.heads(), size.embedding() / size.heads())
                        .transpose(1, 2))
                .toList();
        Tensor attended = torch.scaled_dot_product_attention(
                heads.get(0), heads.get(1), heads.get(2), new TensorOptional(), 0, true, new DoubleOptional(), false);
        Tensor joined = attended.transpose(1, 2).contiguous().view(x.size(0), x.size(1), size.embedding());
        return linear(name + "out_proj.weight", name + "out_proj.bias", joined);
    }
}
