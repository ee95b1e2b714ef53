// As peers_python.py, for Armadillo: peers armadillo K REPEATS BUDGET FILE ...
#include <algorithm>
#include <armadillo>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void print(const char* name, const arma::mat& values) {
  std::printf("\"%s\": [", name);
  for (arma::uword j = 0; j < values.n_elem; ++j) std::printf("%s%.17g", j ? ", " : "", values(j));
  std::printf("], ");
}

}  // namespace

int main(int count, char** words) {
  const arma::uword k = std::stoul(words[2]);
  const std::size_t repeats = std::stoul(words[3]);
  const double budget = std::stod(words[4]), warm = 0.1;
  std::printf("{\"version\": \"%s\"}\n", arma::arma_version::as_string().c_str());
  for (int i = 5; i < count; ++i) {
    arma::vec column;
    if (!column.load(words[i], arma::raw_binary)) return 1;
    const arma::mat x = column.t();
    arma::gmm_diag model;
    std::vector<double> times;
    double spent = 0;
    while (times.empty() || spent < (times.size() < repeats ? budget : warm)) {
      arma::arma_rng::set_seed(1);
      const auto begin = std::chrono::steady_clock::now();
      // There are no defaults: the most iterations that the manual calls typical (10 of k-means, 10 of EM).
      model.learn(x, k, arma::maha_dist, arma::random_subset, 10, 10, 1e-10, false);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      times.push_back(took.count());
      spent += took.count();
    }
    std::sort(times.begin(), times.end());
    std::printf("{");
    print("weights", model.hefts);
    print("means", model.means);
    print("variances", model.dcovs);
    std::printf("\"seconds\": %.9g}\n", times[times.size() / 2]);
  }
}
