"""Every measured figure of the README, one table after the other: `tox -e bench`. MNIST must be at hand."""

import bench_accuracy
import bench_chain
import bench_engine
import bench_flat
import bench_gif
import bench_import
import bench_memory
import bench_mnist
import bench_page
import bench_rebuild
import bench_sweep
import bench_trace

BENCHES = (
    bench_engine, bench_flat, bench_memory, bench_import, bench_gif, bench_mnist, bench_trace, bench_chain, bench_accuracy,
    bench_rebuild, bench_sweep, bench_page,
)  # fmt: skip

if __name__ == "__main__":
    for bench in BENCHES:
        bench.main()
