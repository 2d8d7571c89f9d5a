// The enumeration of headrace.kernels.cycles in C++: what a compiled language makes of the same arrays.
#include <cstdint>

using Int = int64_t;

struct Index {
    const Int *edge_from, *edge_to, *edge_pool, *leave_start, *pair_to, *pair_start, *pair_edges;
};

static Int find_pair(const Index &ix, Int from, Int to) {
    Int low = ix.leave_start[from], end = ix.leave_start[from + 1], high = end;
    while (low < high) {
        Int middle = (low + high) / 2;
        if (ix.pair_to[middle] < to) low = middle + 1;
        else high = middle;
    }
    return low < end && ix.pair_to[low] == to ? low : -1;
}

extern "C" Int count_cycles(const Int *edge_from, const Int *edge_to, const Int *edge_pool, const Int *leave_start,
                            const Int *pair_to, const Int *pair_start, const Int *pair_edges, const double *rate,
                            const Int *changed, Int changed_count, const Int *is_changed, double rate_min, Int *found,
                            Int room) {
    Index ix{edge_from, edge_to, edge_pool, leave_start, pair_to, pair_start, pair_edges};
    Int count = 0;
    auto put = [&](Int a, Int b, Int c) {
        if (count < room) found[3 * count] = a, found[3 * count + 1] = b, found[3 * count + 2] = c;
        count++;
    };
    for (Int at = 0; at < changed_count; at++) {
        Int first = changed[at], pool = ix.edge_pool[first], origin = ix.edge_from[first], middle = ix.edge_to[first];
        auto is_seen = [&](Int other) { return other == pool || (other < pool && is_changed[other]); };
        Int back = find_pair(ix, middle, origin);
        for (Int i = back < 0 ? 0 : ix.pair_start[back]; back >= 0 && i < ix.pair_start[back + 1]; i++) {
            Int last = ix.pair_edges[i];
            if (!is_seen(ix.edge_pool[last]) && rate[first] * rate[last] > rate_min) put(first, last, -1);
        }
        Int degree_middle = ix.leave_start[middle + 1] - ix.leave_start[middle];
        Int degree_origin = ix.leave_start[origin + 1] - ix.leave_start[origin];
        Int few = degree_middle < degree_origin ? middle : origin, many = few == middle ? origin : middle;
        for (Int near = ix.leave_start[few]; near < ix.leave_start[few + 1]; near++) {
            Int third = ix.pair_to[near], far = find_pair(ix, many, third);
            if (far < 0 || third == many) continue;
            Int way = few == middle ? near : far, close = find_pair(ix, third, origin);
            for (Int i = ix.pair_start[way]; i < ix.pair_start[way + 1]; i++) {
                Int second = ix.pair_edges[i], b = ix.edge_pool[second];
                if (is_seen(b)) continue;
                double so_far = rate[first] * rate[second];
                for (Int j = ix.pair_start[close]; j < ix.pair_start[close + 1]; j++) {
                    Int last = ix.pair_edges[j], c = ix.edge_pool[last];
                    if (so_far * rate[last] > rate_min && c != b && !is_seen(c)) put(first, second, last);
                }
            }
        }
    }
    return count;
}
