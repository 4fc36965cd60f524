package org.tenon.spi;

/**
 * What attends to what: {@code weights = softmax(scale q k^T + bias)} over the keys that are allowed, of which dropout leaves
 * some. Queries, keys and values are {@code [batch, head, rows, features]}, of one type, a row's elements neighbours; masks
 * have the sizes of the scores, {@code [batch, head, queries, keys]}, by strides of 0 where they repeat.
 *
 * @param q the queries
 * @param k the keys
 * @param v the values
 * @param scale of the scores
 * @param causal whether query t sees keys 0 to t only
 * @param allowed bool, or null
 * @param bias of the type of q, or null
 * @param dropout of weights, or null
 * @param top float32, one a query: its greatest score
 * @param share float32, one a query: what exponentials of scores less {@code top} are multiplied by to make weights
 */
public record Attending(
        Strided q,
        Strided k,
        Strided v,
        double scale,
        boolean causal,
        Strided allowed,
        Strided bias,
        Dropout dropout,
        Strided top,
        Strided share) {}
