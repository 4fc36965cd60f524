package org.tenon.op;

import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.times;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tenon.Generator;
import org.tenon.spi.UnaryOp;

/**
 * Recurrent layers over whole sequences: one product maps all steps at once, then each step adds its product with the state.
 */
public final class Recurrence {
    private final Cell cell;
    private final String op;

    /** What happens at a step. */
    public enum Cell {
        /** Hochreiter and Schmidhuber 1997, with forget gates: gates in the order i, f, g, o. */
        LSTM(4),
        /** Cho et al. 2014: gates in the order r, z, n. */
        GRU(3),
        /** Elman 1990, with tanh. */
        RNN_TANH(1),
        /** The same with {@code max(x, 0)}. */
        RNN_RELU(1);

        private final int gates;

        Cell(int gates) {
            this.gates = gates;
        }

        /** The number of gates. */
        public int gates() {
            return gates;
        }

        /** What errors call it. */
        public String op() {
            return switch (this) {
                case LSTM -> "lstm";
                case GRU -> "gru";
                case RNN_TANH, RNN_RELU -> "rnn";
            };
        }
    }

    /**
     * The parameters of one direction of a layer.
     *
     * @param input [gates H, I]
     * @param state [gates H, H]
     * @param inputBias [gates H]
     * @param stateBias [gates H]
     */
    public record Weights(Value input, Value state, Value inputBias, Value stateBias) {}

    /** State after a step; {@code cell} is null but for an LSTM. */
    private record State(Value hidden, Value cell) {}

    private Recurrence(Cell cell) {
        this.cell = cell;
        op = cell.op();
    }

    /**
     * {@code x [T, N, I]} through layers, with dropout between them; each is a list of one direction, from the first step to
     * the last, or of two, of which the second goes the other way and whose states are joined, the first's features in front.
     * {@code hidden} and, for an LSTM, {@code memory} [layers * directions, N, H] are the states at first, zeros where null. Returns
     * the last layer's states at all steps [T, N, directions * H], and the states at the end; the third is null but for an
     * LSTM.
     */
    public static Value[] run(
            Cell cell,
            Value x,
            Value hidden,
            Value memory,
            List<List<Weights>> layers,
            double dropout,
            Generator generator) {
        Recurrence recurrence = new Recurrence(cell);
        recurrence.check(x, hidden, memory, layers);
        return Frame.results(() -> {
            Value steps = x;
            List<Value> lastHidden = new ArrayList<>();
            List<Value> lastMemory = new ArrayList<>();
            for (List<Weights> layer : layers) {
                if (!lastHidden.isEmpty() && dropout > 0) {
                    steps = Random.dropout(steps, dropout, generator);
                }
                List<Value> directions = new ArrayList<>();
                for (Weights weights : layer) {
                    int number = lastHidden.size();
                    State start = new State(
                            recurrence.start(hidden, number, steps, weights),
                            cell == Cell.LSTM ? recurrence.start(memory, number, steps, weights) : null);
                    List<Value> outputs = new ArrayList<>();
                    boolean back = !directions.isEmpty();
                    State last = recurrence.direction(steps, back, start, weights, outputs);
                    directions.add(Joins.stack(back ? outputs.reversed() : outputs, 0));
                    lastHidden.add(last.hidden());
                    lastMemory.add(last.cell());
                }
                steps = directions.size() == 1 ? directions.getFirst() : Joins.cat(directions, 2);
            }
            return new Value[] {steps, Joins.stack(lastHidden, 0), cell == Cell.LSTM ? Joins.stack(lastMemory, 0) : null
            };
        });
    }

    private void check(Value x, Value hidden, Value memory, List<List<Weights>> layers) {
        Checks.operands(op, x, hidden, memory);
        Checks.floating(op, x);
        Value map = layers.getFirst().getFirst().input();
        Checks.operands(op, x, map);
        Checks.sameDtype(op, x, map);
        if (x.rank() != 3 || x.size(2) != map.size(1) || x.size(0) < 1) {
            throw Checks.error(
                    op,
                    "the input does not fit; give rank 3, sequences of at least one step and " + map.size(1)
                            + " features",
                    x);
        }
        long[] wanted = {(long) layers.size() * layers.getFirst().size(), x.size(1), map.size(0) / cell.gates};
        for (Value state : new Value[] {hidden, memory}) {
            if (state != null) {
                Checks.sameDtype(op, x, state);
                if (!Arrays.equals(state.sizes(), wanted)) {
                    throw Checks.error(
                            op,
                            "a state has shape " + Arrays.toString(state.sizes()) + "; " + Arrays.toString(wanted)
                                    + ", layers, batch and features, is needed",
                            state);
                }
            }
        }
    }

    private Value start(Value states, int number, Value x, Weights weights) {
        return states == null
                ? Creation.full(
                        op,
                        x.backend(),
                        x.dtype(),
                        0,
                        x.size(1),
                        weights.state().size(1))
                : Views.select(states, 0, number);
    }

    /** Adds the states after each step to {@code outputs}, in the order in which the steps are taken. */
    private State direction(Value x, boolean back, State start, Weights weights, List<Value> outputs) {
        Value inputs = plus(MatMul.matmul(op, x, Views.transpose(weights.input(), 0, 1)), weights.inputBias());
        Value map = Views.transpose(weights.state(), 0, 1);
        State state = start;
        List<Value> steps = Views.unbind(inputs);
        for (Value input : back ? steps.reversed() : steps) {
            Value recurrent = plus(MatMul.product(op, state.hidden(), map), weights.stateBias());
            state = switch (cell) {
                case LSTM -> lstm(gates(plus(input, recurrent)), state);
                case GRU -> gru(gates(input), gates(recurrent), state);
                case RNN_TANH -> new State(UnaryGradients.call(UnaryOp.TANH, plus(input, recurrent)), null);
                case RNN_RELU -> new State(UnaryGradients.call(UnaryOp.RELU, plus(input, recurrent)), null);
            };
            outputs.add(state.hidden());
        }
        return state;
    }

    /** {@code [N, gates H]} as as many views [N, H]. */
    private List<Value> gates(Value all) {
        Value split = Views.reshape(op, all, all.size(0), cell.gates, all.size(1) / cell.gates);
        return Views.unbind(Views.moveToFront(split, 1));
    }

    private static State lstm(List<Value> gates, State before) {
        Value input = UnaryGradients.call(UnaryOp.SIGMOID, gates.get(0));
        Value forget = UnaryGradients.call(UnaryOp.SIGMOID, gates.get(1));
        Value news = UnaryGradients.call(UnaryOp.TANH, gates.get(2));
        Value output = UnaryGradients.call(UnaryOp.SIGMOID, gates.get(3));
        Value memory = plus(times(forget, before.cell()), times(input, news));
        return new State(times(output, UnaryGradients.call(UnaryOp.TANH, memory)), memory);
    }

    private static State gru(List<Value> input, List<Value> recurrent, State before) {
        Value reset = UnaryGradients.call(UnaryOp.SIGMOID, plus(input.get(0), recurrent.get(0)));
        Value keep = UnaryGradients.call(UnaryOp.SIGMOID, plus(input.get(1), recurrent.get(1)));
        Value news = UnaryGradients.call(UnaryOp.TANH, plus(input.get(2), times(reset, recurrent.get(2))));
        return new State(plus(news, times(keep, minus(before.hidden(), news))), null);
    }
}
