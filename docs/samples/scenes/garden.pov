// A garden path with hedges, trees and a bench. Units: metres.
#version 3.7;
#include "common.inc"
global_settings { assumed_gamma 1.0 max_trace_level 6 }
#default { finish { ambient 0 diffuse 0.85 } }
#declare Sd = seed(77);

camera { location <-0.5, 1.55, -7.2> right x * 3/2 up y angle 58 look_at <0.25, 1.62, 4> }

// Morning sun, and the sky's own light from several sides.
light_source { <-46, 40, -12> srgb <1, 0.92, 0.78> * 1.42 area_light <3, 0, 0>, <0, 3, 0>, 2, 2 adaptive 0 jitter }
light_source { <20, 60, -60> srgb <0.66, 0.78, 1> * 0.78 shadowless }
light_source { <40, 30, 30> srgb <0.70, 0.82, 1> * 0.55 shadowless }
light_source { <0, -30, -10> srgb <0.62, 0.66, 0.40> * 0.5 shadowless }

sky_sphere {
  pigment { gradient y color_map { [0 srgb <0.87, 0.92, 0.96>] [0.12 srgb <0.72, 0.84, 0.95>] [0.5 srgb <0.38, 0.60, 0.87>] [1 srgb <0.2, 0.42, 0.75>] } }
  pigment { bozo turbulence 0.75 octaves 7 omega 0.52 lambda 2.3
    color_map { [0.46 srgbt <1, 1, 1, 1>] [0.62 srgbt <1, 1, 1, 0.35>] [0.8 srgbt <1, 0.99, 0.97, 0.05>] [1 srgbt <0.86, 0.88, 0.92, 0>] }
    scale <0.42, 0.14, 0.4> translate <1.7, 0.35, 0.2> }
}

// The path winds from the viewer to an arch in the far hedge.
#macro Middle(Z) (0.55 * sin(Z * 0.32 + 0.4) + 0.15) #end

// Lawn.
plane { y, -0.01
  pigment { granite color_map { [0 srgb <0.20, 0.31, 0.10>] [0.5 srgb <0.30, 0.44, 0.15>] [1 srgb <0.40, 0.52, 0.20>] } scale 1.5 }
  normal { granite 0.3 scale 0.2 }
}
#macro Tuft(Count, Spread, Tall)
  mesh {
    #for (I, 1, Count)
      #local X = (rand(Sd) - 0.5) * Spread; #local Z = (rand(Sd) - 0.5) * Spread;
      #local H = Tall * (0.5 + rand(Sd) * 0.7); #local A = rand(Sd) * 2 * pi; #local B = 0.006;
      #local L = <cos(A * 3), 0, sin(A * 3)> * H * (0.2 + rand(Sd) * 0.5);
      #local S = <cos(A), 0, sin(A)> * B;
      #local M = <X, H * 0.6, Z> + L * 0.35;
      triangle { <X, 0, Z> - S, <X, 0, Z> + S, M + S * 0.7 } triangle { <X, 0, Z> - S, M + S * 0.7, M - S * 0.7 }
      triangle { M - S * 0.7, M + S * 0.7, <X, H, Z> + L }
    #end
  }
#end
#declare Tufts = array[3];
#for (K, 0, 2) #declare Tufts[K] = Tuft(420, 0.62, 0.07 + K * 0.008) #end
#declare GrassFinish = finish { diffuse 0.75, 0.4 specular 0.08 roughness 0.08 }
#for (I, -13, 13) #for (J, 0, 34)
  #local Z = -6.6 + J * 0.5; #local X = I * 0.5 + (rand(Sd) - 0.5) * 0.3;
  #if (abs(X - Middle(Z)) > 0.95 & abs(X) < 3.2 + (Z + 6) * 0.5)
    object { Tufts[int(rand(Sd) * 2.99)] rotate y * int(rand(Sd) * 4) * 90 translate <X, -0.005, Z>
      pigment { srgb <0.30 + rand(Sd) * 0.09, 0.44 + rand(Sd) * 0.09, 0.13 + rand(Sd) * 0.04> } finish { GrassFinish } }
  #end
#end #end

// Longer grass along both edges of the path, to hide where the lawn begins.
#for (I, 0, 74) #for (K, -1, 1, 2)
  #local Z = -6.8 + I * 0.22;
  object { Tufts[int(rand(Sd) * 2.99)] scale <0.42, 1, 0.42> rotate y * rand(Sd) * 360 translate <Middle(Z) + K * (1.0 + rand(Sd) * 0.16), -0.005, Z>
    pigment { srgb <0.31 + rand(Sd) * 0.09, 0.45 + rand(Sd) * 0.09, 0.14> } finish { GrassFinish } }
#end #end

// Gravel bed and flagstones.
#macro Pt(U, V)
  #local Z = -8 + U * 20;
  <Middle(Z) + (V - 0.5) * 1.72 + 0.03 * sin(Z * 7 + V * 3), 0.012 + 0.02 * sin(pi * V), Z>
#end
object { SurfaceMesh(0, 1, 0, 1, 90, 6)
  pigment { crackle color_map { [0 srgb <0.34, 0.30, 0.24>] [0.12 srgb <0.62, 0.57, 0.48>] [0.5 srgb <0.75, 0.70, 0.61>] [1 srgb <0.80, 0.76, 0.68>] } scale 0.045 }
  normal { crackle 0.8 scale 0.045 } }
#for (I, 0, 24)
  #local Z = -6.7 + I * 0.70; #local W = 0.56 + rand(Sd) * 0.10;
  superellipsoid { <0.35, 0.3> rotate x * 90 scale <W, 0.045, 0.29 + rand(Sd) * 0.02>
    texture {
      pigment { granite color_map { [0 srgb <0.50, 0.48, 0.44>] [0.5 srgb <0.66, 0.63, 0.58>] [1 srgb <0.74, 0.70, 0.63>] } scale 0.7 translate rand(Sd) * 9 }
      normal { granite 0.25 scale 0.4 }
    }
    rotate y * ((rand(Sd) - 0.5) * 9 + degrees(0.17 * cos(Z * 0.32 + 0.4)))
    translate <Middle(Z) + (rand(Sd) - 0.5) * 0.08, 0.03, Z> }
#end

// Leaves come in sprays: one mesh, placed many times.
#macro Spray(Count, Reach, Size)
  mesh {
    #for (I, 1, Count)
      #local D = vnormalize(<rand(Sd) - 0.5, rand(Sd) - 0.5, rand(Sd) - 0.5>) * Reach * pow(rand(Sd), 0.45);
      #local E = vnormalize(<rand(Sd) - 0.5, rand(Sd) - 0.6, rand(Sd) - 0.5>) * Size;
      #local F = vnormalize(vcross(E, <rand(Sd) - 0.5, rand(Sd), 0.3>)) * Size * 0.32;
      triangle { D, D + E * 0.5 + F, D + E } triangle { D, D + E, D + E * 0.5 - F }
    #end
  }
#end
#declare Fine = array[3];
#for (K, 0, 2) #declare Fine[K] = Spray(130, 0.2, 0.055 + K * 0.004) #end
#declare Broad = array[3];
#for (K, 0, 2) #declare Broad[K] = Spray(260, 0.48, 0.085 + K * 0.008) #end
#macro Foliage(Kind, Where, R, G, B)
  object { Kind[int(rand(Sd) * 2.99)] rotate <rand(Sd), rand(Sd), rand(Sd)> * 360 translate Where
    pigment { srgb <R, G, B> * (0.98 + rand(Sd) * 0.5) } finish { diffuse 0.72, 0.38 specular 0.12 roughness 0.06 } }
#end
// A clipped hedge as a box of sprays around a dark core.
#macro Hedge(A, B, R, G, Bl)
  box { A + 0.14, B - 0.14 pigment { granite color_map { [0 srgb <0.08, 0.14, 0.05>] [1 srgb <0.18, 0.29, 0.11>] } scale 0.15 } normal { granite 1 scale 0.1 } }
  #local S = B - A;
  #local Count = 24 * (S.x * S.y + S.y * S.z + S.x * S.z);
  #for (I, 1, Count)
    #local K = rand(Sd) * (S.x * S.y + S.y * S.z * 2 + S.x * S.z);
    #local P = <rand(Sd), rand(Sd), rand(Sd)>;
    #local Q = (K < S.x * S.y ? <P.x, P.y, 0.0> : (K < S.x * S.y + S.y * S.z ? <0, P.y, P.z> : (K < S.x * S.y + 2 * S.y * S.z ? <1, P.y, P.z> : <P.x, 1, P.z>)));
    Foliage(Fine, A + 0.08 + Q * (S - 0.16), R, G, Bl)
  #end
#end
Hedge(<-4.6, 0, -2.6>, <-3.5, 1.25, 9.0>, 0.22, 0.36, 0.12)
Hedge(<3.9, 0, -1.0>, <5.0, 1.25, 9.0>, 0.22, 0.36, 0.12)
Hedge(<-6.5, 0, 9.4>, <-1.35, 2.25, 10.4>, 0.18, 0.31, 0.12)
Hedge(<0.6, 0, 9.4>, <7.5, 2.25, 10.4>, 0.18, 0.31, 0.12)
// Arch over the gap.
#for (I, 0, 260)
  #local A = pi * rand(Sd); #local K = 1.0 + rand(Sd) * 0.32;
  Foliage(Fine, <-0.37 + cos(A) * K, 2.05 + sin(A) * K * 0.85, 9.6 + rand(Sd) * 0.5>, 0.20, 0.35, 0.12)
#end

// Round-headed trees.
#macro Tree(X, Z, H, R, Count, Red, Green, Blue)
  cone { <X, 0, Z>, 0.05 * H / 2.2, <X + 0.1, H, Z>, 0.02 * H / 2.2
    pigment { granite color_map { [0 srgb <0.22, 0.16, 0.11>] [1 srgb <0.42, 0.33, 0.24>] } scale <0.1, 0.6, 0.1> } normal { granite 0.5 scale <0.1, 0.6, 0.1> } }
  #for (I, 0, 11)
    #local A = I * 2.4; #local L = R * 0.75;
    cone { <X, H * (0.42 + I * 0.02), Z>, 0.035, <X + cos(A) * L, H * 0.72 + R * 0.3 * mod(I, 3), Z + sin(A) * L>, 0.01 pigment { srgb <0.30, 0.23, 0.16> } }
  #end
  #for (I, 1, Count)
    #local D = vnormalize(<rand(Sd) - 0.5, rand(Sd) - 0.5, rand(Sd) - 0.5>);
    #local K = pow(rand(Sd), 0.35) * (0.85 + 0.25 * sin(D.x * 5 + X) * cos(D.y * 6 + Z));
    Foliage(Broad, <X, H, Z> + D * <R, R * 0.85, R> * K, Red, Green, Blue)
  #end
#end
Tree(-4.2, 4.2, 3.5, 1.75, 300, 0.30, 0.45, 0.14)
Tree(5.3, 6.8, 4.1, 2.0, 320, 0.36, 0.47, 0.15)
Tree(-6.8, 12.5, 4.9, 2.5, 300, 0.24, 0.38, 0.14)
Tree(2.6, 13.5, 4.3, 2.1, 260, 0.30, 0.42, 0.14)
Tree(9.0, 13, 5.2, 2.6, 280, 0.25, 0.38, 0.13)
Tree(-1.8, 17, 4.2, 2.2, 220, 0.33, 0.43, 0.18)

// A belt of far trees closes the view.
#for (I, 0, 520)
  #local X = -26 + rand(Sd) * 54;
  Foliage(Broad, <X, 0.3 + pow(rand(Sd), 1.3) * (3.4 + 1.2 * sin(X * 0.55) + 0.7 * sin(X * 1.3)), 24 + rand(Sd) * 2>, 0.36, 0.46, 0.30)
#end
box { <-40, -1, 26.5>, <40, 0.9, 26.6> pigment { srgb <0.20, 0.28, 0.17> } }

// Flower borders before the hedges.
#declare Bloom = union {
  #for (I, 0, 5) sphere { 0, 1 scale <0.030, 0.008, 0.017> translate x * 0.026 rotate z * 14 rotate y * I * 60 } #end
}
#macro Border(X0, X1, Z0, Z1, Count)
  #for (I, 1, Count)
    #local P = <X0 + rand(Sd) * (X1 - X0), 0, Z0 + rand(Sd) * (Z1 - Z0)>;
    #local H = 0.22 + rand(Sd) * 0.36; #local K = rand(Sd);
    cylinder { P, P + y * H, 0.004 pigment { srgb <0.28, 0.42, 0.16> } }
    object { Bloom scale 1.1 + rand(Sd) * 0.6 rotate <rand(Sd) * 50 - 50, rand(Sd) * 360, rand(Sd) * 30 - 15> translate P + y * H
      pigment { srgb (K < 0.4 ? <0.93, 0.90, 0.95> : (K < 0.72 ? <0.72, 0.52, 0.85> : <0.95, 0.62, 0.68>)) } finish { diffuse 0.7, 0.3 } }
    sphere { P + y * (H + 0.012), 0.014 pigment { srgb <0.95, 0.78, 0.25> } }
    #if (mod(I, 3) = 0) Foliage(Fine, P + y * 0.12, 0.30, 0.46, 0.17) #end
  #end
#end
Border(-3.45, -2.65, -3.0, 8.8, 330)
Border(3.1, 3.85, 3.4, 8.8, 170)

// A teak bench by the right-hand hedge, facing the path.
#declare Teak = texture { Oak(srgb <0.66, 0.50, 0.34>, srgb <0.52, 0.37, 0.24>, 0.1) scale 0.15 }
union {
  #for (I, 0, 4) object { SoftBox(<-0.85, 0.42, -0.26 + I * 0.105>, <0.85, 0.45, -0.17 + I * 0.105>, 0.008) texture { Teak translate I * 3 } } #end
  #for (I, 0, 3) object { SoftBox(<-0.85, 0, -0.014>, <0.85, 0.085, 0.014>, 0.008) texture { Teak translate I * 5 + 2 } rotate x * 10 translate <0, 0.54 + I * 0.115, 0.29 + I * 0.021> } #end
  #for (K, 0, 1)
    #local X = (K = 0 ? -0.78 : 0.78);
    union {
      box { <X - 0.03, 0, -0.27>, <X + 0.03, 0.64, -0.21> } box { <X - 0.03, 0, 0.22>, <X + 0.03, 0.44, 0.28> }
      box { <X - 0.03, 0, -0.03>, <X + 0.03, 0.6, 0.03> rotate x * 10 translate <0, 0.40, 0.27> }
      object { SoftBox(<X - 0.045, 0.63, -0.31>, <X + 0.045, 0.665, 0.32>, 0.012) }
      box { <X - 0.025, 0.36, -0.24>, <X + 0.025, 0.42, 0.25> }
      texture { Teak rotate z * 90 }
    }
  #end
  rotate y * 62 scale 1.12 translate <2.55, 0, 1.35>
}
