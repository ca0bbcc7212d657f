#![allow(warnings)]
use seawall_env::*;
use seawall_training::*;
fn cpu() -> f64 { std::fs::read_to_string("/proc/self/task/self/schedstat").or_else(|_| std::fs::read_to_string("/proc/self/schedstat")).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-9 }
struct T { at: f64, sums: [f64; 2], cur: usize }
impl Observer for T { fn phase(&mut self, p: Phase) { let n = cpu(); self.sums[self.cur] += n - self.at; self.at = n; self.cur = if p == Phase::Collect { 0 } else { 1 }; } }
fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    let a: Vec<String> = std::env::args().collect();
    let backend = if a.len() > 1 && a[1] == "ndarray" { Backend::Ndarray } else { Backend::Flex };
    for (b, t) in [(8, 256), (64, 256)] {
        let seeds = SeedTree::new(1);
        let config = PpoConfig { total_steps: 10_000_000, horizon: t, kl_limit: Limit::Off, ..Default::default() };
        let envs = VecEnv::new(vec![throughput::Reference::default(); b], seeds);
        let mut l = Learner::new(config, backend, envs, seeds).unwrap();
        l.iterate(&mut ()).unwrap();
        let mut best = [f64::MAX; 2];
        let mut tot = [0.0; 2];
        let n = if b == 8 { 12 } else { 4 };
        for _ in 0..n {
            let mut o = T { at: cpu(), sums: [0.0; 2], cur: 0 };
            l.iterate(&mut o).unwrap();
            let e = cpu() - o.at; o.sums[1] += e;
            for i in 0..2 { best[i] = best[i].min(o.sums[i]); tot[i] += o.sums[i]; }
        }
        let s = (b * t) as f64;
        println!("{b}x{t}: best {:.0} mean {:.0} steps/cpu-s; collect {:.2} us learn {:.2} us/step; minibatch {:.3} ms", s / (best[0] + best[1]), s * n as f64 / (tot[0] + tot[1]), best[0] / s * 1e6, best[1] / s * 1e6, best[1] / (s * 10.0 / 256.0) * 1e3);
    }
}
